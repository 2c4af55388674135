import fc from 'fast-check'

const text: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  // Any code units: NUL and lone surrogates among them.
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('\0', '\ud800', '\udfff\ud800', '\u2028', '"', '\\', '', '$', '__proto__'),
)

const key: fc.Arbitrary<string> = fc
  .oneof(text, fc.constantFrom('$', 'v', 'toJSON', 'toString', 'constructor', 'hasOwnProperty', 'then', 'length', '0', '-1', '01'))
  .filter((name) => name !== '__proto__')

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 9 }),
  fc.constantFrom(null, undefined, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, Number.MAX_VALUE, 5e-324),
)

const { value: anything } = fc.letrec<{ value: unknown; members: [string, unknown][] }>((tie) => ({
  members: fc.uniqueArray(fc.tuple(key, tie('value')), { maxLength: 4, selector: ([name]) => name }),
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('members').map((members) => Object.fromEntries(members)),
    tie('members').map((members) => Object.assign(Object.create(null), Object.fromEntries(members))),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
  ),
}))

/** Any value that the store keeps exactly. */
export const storable: fc.Arbitrary<unknown> = anything

/** Any metadata that the store keeps exactly. */
export const storableMetadata: fc.Arbitrary<Record<string, unknown>> = fc
  .uniqueArray(fc.tuple(key, storable), { maxLength: 5, selector: ([name]) => name })
  .map((members) => Object.fromEntries(members))
