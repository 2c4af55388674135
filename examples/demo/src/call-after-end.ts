/** The status that a call with that session id is answered with, without an SDK. */
export async function callAfterEnd(url: string, sessionId: string): Promise<number> {
  const answer = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-session-id': sessionId,
      'mcp-protocol-version': '2025-11-25',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 'after the end', method: 'tools/call', params: { name: 'count', arguments: {} } }),
  })
  await answer.body?.cancel()
  return answer.status
}
