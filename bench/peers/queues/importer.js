// SPDX-License-Identifier: Apache-2.0
// What a job of both queues does: the whole report, as a user of such a queue writes it.
import { REPORTS, BUCKET } from './http.js'
import { jobs, loadRates, transform } from './transform.js'
export { jobs }

export function importer (http) {
  const rates = loadRates(process.env.RATES)
  return async ({ client, day }) => {
    const gz = await transform(await http.get(`${REPORTS}/${client}/${day}.csv`), rates.get(day))
    await http.put(`${BUCKET}/${client}/${day}.csv.gz`, gz)
  }
}

// Ends the process.
export function report (figures) {
  const used = process.cpuUsage()
  console.log(JSON.stringify({ ...figures, cpu: (used.user + used.system) / 1e6 }))
  process.exit(0)
}
