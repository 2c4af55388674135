import type { ServerFactory } from '@mcp-session/http'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { McpServer as McpServerV2 } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** A call that runs until the harness ends it. */
export interface StagedCall {
  /** Sends a message that belongs to the call. Resolves after the durable append. */
  say(text: string): Promise<void>
  /** Sends the final answer. */
  end(text: string): void
}

/** The servers of all sessions, played from outside. */
export interface Stage {
  readonly factory: ServerFactory
  /** The call of the tool `staged` with that word, once it runs. Each word is called once. */
  called(word: string): Promise<StagedCall>
  /** Sends a message that belongs to no call. Resolves after the durable append. */
  note(sessionId: string, text: string): Promise<void>
}

interface Cue {
  readonly call: Promise<StagedCall>
  arrive(call: StagedCall): void
}

type Notify = (notification: { method: 'notifications/message'; params: { level: 'info'; data: string } }) => Promise<void>

/** Sessions alternate between servers of both SDK majors. */
export function newStage(): Stage {
  const notes = new Map<string, Notify>()
  const cues = new Map<string, Cue>()
  let count = 0

  function cueOf(word: string): Cue {
    const known = cues.get(word)
    if (known !== undefined) return known
    let arrive: Cue['arrive'] = () => {}
    const call = new Promise<StagedCall>((resolve) => {
      arrive = resolve
    })
    const cue = { call, arrive }
    cues.set(word, cue)
    return cue
  }

  function play(word: string, notify: Notify): Promise<{ content: { type: 'text'; text: string }[] }> {
    return new Promise((resolve) => {
      cueOf(word).arrive({
        say: (text) => notify(message(text)),
        end: (text) => resolve({ content: [{ type: 'text', text }] }),
      })
    })
  }

  return {
    factory({ session }) {
      count += 1
      const server = count % 2 === 0 ? serverV1(play) : serverV2(play)
      notes.set(session.id, (notification) => server.server.sendLoggingMessage(notification.params))
      server.server.onclose = () => {
        notes.delete(session.id)
      }
      return server
    },
    async called(word) {
      const call = await cueOf(word).call
      cues.delete(word)
      return call
    },
    async note(sessionId, text) {
      const notify = notes.get(sessionId)
      if (notify === undefined) throw new Error('The session has no live server')
      await notify(message(text))
    },
  }
}

function message(data: string): Parameters<Notify>[0] {
  return { method: 'notifications/message', params: { level: 'info', data } }
}

const identity = { name: 'replay', version: '1' }
const options = { capabilities: { logging: {} } }
const shape = { word: z.string() }
type Play = (word: string, notify: Notify) => Promise<{ content: { type: 'text'; text: string }[] }>

function serverV1(play: Play): McpServerV1 {
  const server = new McpServerV1(identity, options)
  server.registerTool('staged', { inputSchema: shape }, ({ word }, { sendNotification }) => play(word, sendNotification))
  return server
}

function serverV2(play: Play): McpServerV2 {
  const server = new McpServerV2(identity, options)
  server.registerTool('staged', { inputSchema: z.object(shape) }, ({ word }, { mcpReq }) => play(word, mcpReq.notify))
  return server
}
