import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as timePasses } from 'node:timers/promises'

/** Stops a process, and waits until each of its threads stands still: one in a system call goes on to its end. */
export async function stopProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  while ((await threadStates(pid)).some((state) => !'TtZX'.includes(state))) await timePasses(1)
}

async function threadStates(pid: number): Promise<readonly string[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  const texts = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => ') X')))
  // The name before it may hold anything.
  return texts.map((text) => text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3))
}
