import { InvalidArgumentError } from 'commander'

/** Names separated by commas, all of them known. */
export function listOf<T extends string>(known: readonly T[]): (text: string) => T[] {
  return (text) =>
    text.split(',').map((name) => {
      const found = known.find((one) => one === name.trim())
      if (found === undefined) throw new InvalidArgumentError(`${name} is none of ${known.join(', ')}.`)
      return found
    })
}

export function numbers(text: string): number[] {
  return text.split(',').map(positive)
}

export function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 10_000_000)) throw new InvalidArgumentError('It is a number above 0.')
  return value
}
