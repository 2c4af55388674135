import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'

/** A request of node:http as a web standard one, its body read. */
export async function webRequest(req: IncomingMessage): Promise<Request> {
  const headers = new Headers()
  for (const [name, value] of Object.entries(req.headersDistinct)) headers.set(name, (value ?? []).join(', '))
  const body = await buffer(req)
  const method = req.method ?? 'GET'
  return new Request(`http://${req.headers.host}${req.url}`, {
    method,
    headers,
    ...(body.length === 0 ? {} : { body }),
  })
}

/** Streams a response; a client that goes away cancels it. */
export async function sendResponse(res: ServerResponse, response: Response): Promise<void> {
  res.writeHead(response.status, Object.fromEntries(response.headers))
  res.flushHeaders()
  const reader = response.body?.getReader()
  res.once('close', () => {
    reader?.cancel().catch(() => {})
  })
  for (let chunk = await reader?.read(); chunk !== undefined && !chunk.done; chunk = await reader?.read()) res.write(chunk.value)
  res.end()
}
