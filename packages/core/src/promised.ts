/** What a step throws at once is a rejection like any other, and an answer without a promise one that is there. */
export function promised<T>(step: () => Promise<T>): Promise<T> {
  try {
    return Promise.resolve(step())
  } catch (error) {
    return Promise.reject(error)
  }
}
