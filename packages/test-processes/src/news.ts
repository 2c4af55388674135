/** Lets callers wait for a condition that events change, instead of sleeping. */
export interface News {
  /** Something changed: every waiting condition is looked at again. */
  tell(): void
  /** Whether the condition came true within the bound; it is looked at now and after every `tell`. */
  until(condition: () => boolean, withinMs: number): Promise<boolean>
}

export function createNews(): News {
  const looks = new Set<() => void>()
  return {
    tell() {
      for (const look of [...looks]) look()
    },
    until(condition, withinMs) {
      return new Promise((resolve) => {
        if (condition()) {
          resolve(true)
          return
        }
        const settle = (met: boolean) => {
          looks.delete(look)
          clearTimeout(timer)
          resolve(met)
        }
        const look = () => {
          if (condition()) settle(true)
        }
        const timer = setTimeout(() => settle(false), withinMs)
        looks.add(look)
      })
    },
  }
}
