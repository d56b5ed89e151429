// SPDX-License-Identifier: Apache-2.0
// HTTP by undici.request over an Agent: what its docs recommend for speed. A cut body is an error of
// undici's own.
import { Agent, request } from 'undici'
export const REPORTS = process.env.REPORTS ?? 'http://127.0.0.1:18080/reports'
export const BUCKET = process.env.BUCKET ?? 'http://127.0.0.1:18081/bucket'

class HttpError extends Error {
  constructor (status, after) {
    super('status ' + status)
    this.after = Number(after ?? 0) * 1000
  }
}

export function client (connections) {
  const dispatcher = new Agent({ connections, pipelining: 1 })
  return {
    async get (url) {
      const r = await request(url, { dispatcher })
      if (r.statusCode !== 200) {
        await r.body.dump()
        throw new HttpError(r.statusCode, r.headers['retry-after'])
      }
      return r.body.text()
    },
    async put (url, body) {
      const r = await request(url, { dispatcher, method: 'PUT', body })
      await r.body.dump()
      if (r.statusCode >= 300) throw new HttpError(r.statusCode, r.headers['retry-after'])
    },
    close: () => dispatcher.destroy()
  }
}
