// SPDX-License-Identifier: Apache-2.0
// Node peer: p-limit over all reports. usage: main.js N CONCURRENCY
import pLimit from 'p-limit'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadRates, transform, jobs } from './transform.js'
import { client, REPORTS, BUCKET } from './http.js'

const n = Number(process.argv[2]); const c = Number(process.argv[3])
const rates = loadRates(process.env.RATES)
const http = client(c); const limit = pLimit(c)
let retries = 0; let completed = 0

async function withRetry (f) {
  for (let d = 100; ; d = Math.min(2 * d, 2000)) {
    try { return await f() } catch (e) { retries++; await sleep(e.after || d) }
  }
}
const t0 = performance.now(); const c0 = process.cpuUsage()
await Promise.all(Array.from(jobs(n), j => limit(async () => {
  const url = `${REPORTS}/${j.client}/${j.day}.csv`
  const gz = await withRetry(async () => transform(await http.get(url), rates.get(j.day)))
  await withRetry(() => http.put(`${BUCKET}/${j.client}/${j.day}.csv.gz`, gz))
  completed++
})))
const u = process.cpuUsage(c0)
const wall = (performance.now() - t0) / 1000
console.log(JSON.stringify({ completed, retries, job_wall: wall, job_cpu: (u.user + u.system) / 1e6 }))
http.close()
process.exit(0)
