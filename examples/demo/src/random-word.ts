/** Pronounceable, and new in every run: what the client is given cannot come from an earlier one. */
export function randomWord(): string {
  const pick = (letters: string) => letters.charAt(Math.floor(Math.random() * letters.length))
  return Array.from({ length: 3 }, () => pick('bdfgklmnprstvz') + pick('aeiou')).join('')
}
