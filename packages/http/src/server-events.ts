/** What has changed in a server, in the shape of SDK v2's `ServerEvent`. */
export type ServerEvent = (
  | { kind: 'tools_list_changed' }
  | { kind: 'prompts_list_changed' }
  | { kind: 'resources_list_changed' }
  | { kind: 'resource_updated'; uri: string }
) & { params?: Record<string, unknown> | undefined }

/** Who listens on this node. */
export interface EventListeners {
  tell(event: ServerEvent): void
  /** The function stops it. */
  add(listener: (event: ServerEvent) => void): () => void
}

/** A listener that throws harms nobody: what it threw goes to `onError`. */
export function eventListeners(onError: (error: unknown) => void): EventListeners {
  const listeners = new Set<{ readonly hear: (event: ServerEvent) => void }>()
  let hearing: unknown

  return {
    tell(event) {
      for (const listener of listeners) {
        // SDK v2 forbids an echo to a listener that publishes.
        if (listener === hearing) continue
        const outer = hearing
        hearing = listener
        try {
          listener.hear(event)
        } catch (error) {
          onError(error)
        } finally {
          hearing = outer
        }
      }
    },
    add(hear) {
      const listener = { hear }
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
