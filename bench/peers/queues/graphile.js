// SPDX-License-Identifier: Apache-2.0
// Graphile Worker peer of the import: a job a report, which the worker tries again with the delays
// that it has (exp(attempt) seconds). usage: graphile.js N CONCURRENCY, DATABASE is the address
import { Logger, run, makeWorkerUtils } from 'graphile-worker'
import { client } from './http.js'
import { importer, jobs, report } from './importer.js'

const n = Number(process.argv[2]); const concurrency = Number(process.argv[3])
const connectionString = process.env.DATABASE
const logger = new Logger(() => () => {})
const http = client(concurrency)
const importOne = importer(http)
const utils = await makeWorkerUtils({ connectionString, logger })
await utils.migrate()
const all = Array.from(jobs(n))
while (all.length > 0) {
  await utils.withPgClient(pg => pg.query(
    "select graphile_worker.add_jobs(array(select row('report', each, null, null, 20::smallint, null, " +
    'null, null)::graphile_worker.job_spec from json_array_elements($1::json) each))',
    [JSON.stringify(all.splice(0, 1000))]))
}
await utils.release()

let completed = 0; let retries = 0; let done
const finished = new Promise(resolve => { done = resolve })
const runner = await run({
  connectionString,
  concurrency,
  logger,
  noHandleSignals: true,
  pollInterval: 100,
  maxPoolSize: 20,
  taskList: { report: data => importOne(data) },
  // What its page on performance advises: jobs are fetched and completed many at once.
  preset: {
    worker: { localQueue: { size: 2 * concurrency }, completeJobBatchDelay: 50, failJobBatchDelay: 50 }
  }
})
runner.events.on('job:success', () => { if (++completed === n) done() })
runner.events.on('job:error', () => { retries++ })
runner.events.on('job:failed', ({ error }) => { console.error(error); process.exit(1) })
await finished
report({ completed, retries })
