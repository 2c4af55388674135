type Own = <R extends AsyncDisposable>(resource: R) => R

/** What `build` makes, and with it everything that it owned meanwhile: disposed of together, the last one first. Where it fails, at once. */
export async function together<T extends object>(build: (own: Own) => Promise<T>): Promise<T & AsyncDisposable> {
  const owned: AsyncDisposable[] = []
  const end = async () => {
    for (const resource of owned.splice(0).reverse()) await resource[Symbol.asyncDispose]()
  }
  try {
    const made = await build((resource) => {
      owned.push(resource)
      return resource
    })
    return { ...made, [Symbol.asyncDispose]: end }
  } catch (error) {
    await end()
    throw error
  }
}
