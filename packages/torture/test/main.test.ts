import { describe, expect, it } from 'vitest'
import { torture } from './command.ts'

describe('torture', { timeout: 60_000 }, () => {
  it.each([
    [[], /^error: which harness\? It is one of .*, or all$/m],
    [['nothing'], /^error: no harness is called 'nothing': it is one of .*, or all$/m],
    [['all', '--backend', 'paper'], /^error: --backend is one of .*, not 'paper'$/m],
    [['all', '--seed', '1.5'], /'--seed <n>' argument '1.5' is invalid. It is a whole number from 0 to 4294967295/],
    [['all', '--tries', '0'], /'--tries <n>' argument '0' is invalid. It is a whole number from 1 /],
    [['all', '--colour'], /unknown option '--colour'/],
    [['all', 'kills'], /too many arguments/],
  ])('ends %j with exit code 2 and says what is wrong', async (args, message) => {
    const { code, stdout, stderr } = await torture(args)
    expect(stderr).toMatch(message)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })
})
