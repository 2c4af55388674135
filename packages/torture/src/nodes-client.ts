import { createNews, type News } from '@mcp-session/test-processes'
import { type Delivery, delivery } from './delivery.ts'
import { connectClient, type StockClient } from './stock-client.ts'

/** A stock client of two nodes, and what it was given. */
export interface NodesClient {
  readonly name: string
  readonly client: StockClient
  readonly given: Delivery
  /** Questions that were put to its user, in order. */
  readonly questions: readonly string[]
  /** Changes of its streams, messages. */
  readonly news: News
}

/** Connects a client that answers every question, and waits until it listens. */
export async function connectToNodes(major: 1 | 2, url: URL): Promise<NodesClient> {
  const name = `client-v${major}`
  const given = delivery({ inTurn: false })
  const news = createNews()
  const questions: string[] = []
  const ears = {
    log(data: unknown) {
      given.take(data)
      news.tell()
    },
    asked(message: string) {
      questions.push(message)
      return `${name} heard ${message}`
    },
  }
  const client = await connectClient(major, url, ears, news.tell)
  if (!(await news.until(() => client.streams.standalone.isOpen, 10_000))) throw new Error(`${name} got no GET stream within 10 s`)
  return { name, client, given, questions, news }
}
