// After `vite build`: weighs what a first visit loads, and lays compressed copies beside the files, which the
// gateway serves to browsers that take them.

import { readFile, readdir, writeFile } from 'node:fs/promises'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const dist = new URL('../dist/', import.meta.url)
const BUDGET = 200_000

const html = await readFile(new URL('index.html', dist), 'utf8')
const first = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((match) => match[1])

let script = 0
for (const name of await readdir(new URL('assets/', dist))) {
  if (!/\.(js|css|svg)$/.test(name)) continue
  const file = new URL(`assets/${name}`, dist)
  const content = await readFile(file)
  const gzip = gzipSync(content, { level: 9 })
  if (first.includes(`assets/${name}`)) script += gzip.length
  await writeFile(new URL(`${file}.gz`), gzip)
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }
  await writeFile(new URL(`${file}.br`), brotliCompressSync(content, quality))
}
console.log(`first load: ${(script / 1000).toFixed(1)} kB of script, gzipped (budget ${BUDGET / 1000} kB)`)
if (first.length === 0 || script > BUDGET) {
  console.error('the first load is over its budget')
  process.exit(1)
}
