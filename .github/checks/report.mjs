/** Collects the outcome of each check and prints it at once, one line a check, its problems below it. */
export function createReport() {
  let passed = 0
  let failed = 0

  function check(name, problems, note = '') {
    if (problems.length === 0) {
      passed += 1
      console.log(`✓ ${name}${note === '' ? '' : `  (${note})`}`)
      return
    }
    failed += 1
    console.log(`✗ ${name}`)
    for (const problem of problems) console.log(`    ${problem.replaceAll('\n', '\n    ')}`)
  }

  function finish() {
    console.log(`\n${passed} checks passed, ${failed} failed`)
    return failed === 0
  }

  return { check, finish }
}
