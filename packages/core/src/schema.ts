/** The part of Standard Schema (https://standardschema.dev, version 1) that the store uses. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

export type SchemaResult<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What the schema makes of a value; a `TypeError` that names the issues. */
export function validated<M>(schema: StandardSchema<M>, value: unknown): M {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) throw new TypeError('schema must be synchronous: its validate returned a promise')
  if (result.issues === undefined) return result.value
  throw new TypeError(`metadata does not match the schema: ${result.issues.slice(0, 5).map(issueText).join('; ')}`)
}

function issueText(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
  return path === '' ? issue.message : `${path}: ${issue.message}`
}
