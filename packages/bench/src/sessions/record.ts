/** What an application keeps in a session here: 40 leaves, one of them with a character beyond Latin-1. */
export interface Content {
  readonly user: Readonly<Record<string, string | number | boolean | null>>
  readonly client: Readonly<Record<string, string | number | boolean>>
  readonly preferences: Readonly<Record<string, string | number | boolean>>
  readonly cart: { readonly currency: string; readonly items: readonly Readonly<Record<string, string | number>>[] }
  readonly counter: number
}

/** A session as a store without fields of its own keeps it: 960 bytes of JSON, give or take a few digits. */
export interface PeerRecord {
  readonly id: string
  readonly createdAt: number
  readonly lastAccessed: number
  readonly timeoutMs: number
  readonly version: number
  readonly metadata: Content
}

export const ttlMs: number = 30 * 60_000

/** The content of the n-th session; a new object each time. */
export function contentOf(n: number): Content {
  return {
    user: {
      name: `user-${n}`,
      mail: `user-${n}@example.org`,
      city: 'Łódź',
      locale: 'pl-PL',
      timezone: 'Europe/Warsaw',
      plan: 'professional-yearly',
      verified: true,
      referrer: null,
      logins: n % 1_000,
      balance: 1_250.75,
    },
    client: {
      name: 'desktop-assistant-nightly',
      version: '3.14.2',
      protocol: '2025-11-25',
      sampling: true,
      elicitation: true,
      roots: false,
      platform: 'linux-x64',
      window: 1_440,
      height: 900,
    },
    preferences: {
      theme: 'dark',
      density: 'compact',
      notifications: true,
      autosave: false,
      pageSize: 50,
      model: 'balanced',
      temperature: 0.7,
    },
    cart: {
      currency: 'PLN',
      items: [
        { sku: `A-${10_000 + (n % 9_000)}`, name: 'notebook with squared paper', count: 2, price: 12.5 },
        { sku: `B-${20_000 + (n % 9_000)}`, name: 'fountain pen, broad nib', count: 1, price: 64 },
        { sku: `C-${30_000 + (n % 9_000)}`, name: 'ink of royal blue, 50 ml', count: 3, price: 8.25 },
      ],
    },
    counter: n,
  }
}

/** The one change that every update makes. */
export function counted<T extends { readonly counter: number }>(content: T): T {
  return { ...content, counter: content.counter + 1 }
}

export function recordOf(id: string, n: number): PeerRecord {
  const now = Date.now()
  return { id, createdAt: now, lastAccessed: now, timeoutMs: ttlMs, version: 1, metadata: contentOf(n) }
}

/** A record after an access. */
export function touched(record: PeerRecord): PeerRecord {
  return { ...record, lastAccessed: Date.now() }
}

/** A record after an update, which is an access as well. */
export function updated(record: PeerRecord): PeerRecord {
  return { ...record, lastAccessed: Date.now(), version: record.version + 1, metadata: counted(record.metadata) }
}
