// Preloaded into every process that `startNode` starts. The IPC channel closes when the parent ends, be it by SIGKILL.
// Plain JavaScript, so that it also loads where the TypeScript loader is not.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
// A listener would keep a process alive that has nothing left to do.
process.channel?.unref()
