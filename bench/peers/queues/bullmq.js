// SPDX-License-Identifier: Apache-2.0
// BullMQ peer of the import: a job a report, which BullMQ tries again with a growing delay.
// usage: bullmq.js N CONCURRENCY, REDIS names the socket
import { Queue, Worker } from 'bullmq'
import { client } from './http.js'
import { importer, jobs, report } from './importer.js'

const n = Number(process.argv[2]); const concurrency = Number(process.argv[3])
const connection = { path: process.env.REDIS, maxRetriesPerRequest: null, enableAutoPipelining: true }
const http = client(concurrency)
const importOne = importer(http)
const queue = new Queue('import', { connection })
const options = { attempts: 20, backoff: { type: 'exponential', delay: 100 }, removeOnComplete: true }
const all = Array.from(jobs(n), data => ({ name: 'report', data, opts: options }))
while (all.length > 0) await queue.addBulk(all.splice(0, 1000))

let completed = 0; let retries = 0; let done
const finished = new Promise(resolve => { done = resolve })
const worker = new Worker('import', job => importOne(job.data), { connection, concurrency })
worker.on('completed', () => { if (++completed === n) done() })
worker.on('failed', job => {
  retries++
  if (job.attemptsMade >= options.attempts) { console.error(job.failedReason); process.exit(1) }
})
worker.on('error', error => { console.error(error); process.exit(1) })
await finished
report({ completed, retries })
