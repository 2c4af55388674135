import { enospc } from './src/enospc.ts'
import { truncate } from './src/truncate.ts'
import { tryHarness } from './test/trial.ts'

const go = async (name: string, h: any, o: any) => {
  const t = Date.now()
  try {
    const r = await tryHarness(h, o)
    console.log(name, JSON.stringify({ ...r, bad: r.bad.length, first: r.bad.slice(0, 3) }).slice(0, 1200), Date.now() - t)
  } catch (e) {
    console.log(name, e)
  }
}
for (const backend of ['file', 'sqlite', 'leveldb']) await go('enospc ' + backend, enospc(), { backend, tries: 1 })
await go('truncate', truncate(), {tries: 40})
