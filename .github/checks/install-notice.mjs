// Runs before pnpm fetches anything: nothing from node_modules may be imported here.
console.log('Installing the workspace. Where no prebuilt SQLite driver can be downloaded it is compiled: a minute or two.')
