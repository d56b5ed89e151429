// SPDX-License-Identifier: Apache-2.0
import Papa from 'papaparse'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
const gzip = promisify(zlib.gzip)

export function loadRates (path) {
  const rates = new Map()
  for (const [day, cur, usd] of Papa.parse(readFileSync(path, 'utf8').trimEnd()).data.slice(1)) {
    if (!rates.has(day)) rates.set(day, new Map())
    rates.get(day).set(cur, Number(usd))
  }
  return rates
}

export async function transform (text, rate) {
  const { data, errors } = Papa.parse(text, { skipEmptyLines: true, delimiter: ',' })
  if (errors.length) throw new Error(errors[0].message)
  const head = data[0]
  const cost = head.indexOf('cost_micros')
  const cur = head.indexOf('currency')
  const dist = head.indexOf('distance_miles')
  head[cost] = 'cost_usd'; head[dist] = 'distance_km'
  for (let i = 1; i < data.length; i++) {
    const r = data[i]; const u = rate.get(r[cur])
    if (u === undefined) throw new Error('no rate for ' + r[cur])
    r[cost] = (Number(r[cost]) / 1e6 * u).toFixed(6)
    r[dist] = (Number(r[dist]) * 1.609344).toFixed(3)
  }
  return gzip(Papa.unparse(data, { newline: '\n' }) + '\n')
}

export function * jobs (n) {
  for (let i = 0; i < n; i++) {
    yield {
      client: 'c' + String(Math.floor(i / 30)).padStart(5, '0'),
      day: new Date(Date.UTC(2025, 0, 1 + i % 30)).toISOString().slice(0, 10)
    }
  }
}
