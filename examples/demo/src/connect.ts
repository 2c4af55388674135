import { connectV1 } from './client-v1.ts'
import { connectV2 } from './client-v2.ts'
import type { ConnectedClient } from './connected-client.ts'

export type Major = 'v1' | 'v2'

/** The stock client of that major, after its handshake. */
export function connect(sdk: Major, url: URL, onLog: (text: unknown) => void): Promise<ConnectedClient> {
  return sdk === 'v1' ? connectV1(url, onLog) : connectV2(url, onLog)
}
