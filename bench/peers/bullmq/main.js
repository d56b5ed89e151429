// SPDX-License-Identifier: Apache-2.0
// BullMQ peer: jobs of three no-op steps, each of which is durable before the next one starts.
// usage: main.js SOCKET JOBS CONCURRENCY
//
// As BullMQ's own guide has it ("process step jobs"): the job's data says which step comes next and
// is updated after each; the last step's result goes with the job's completion. So a job whose
// worker died goes on where it was, as ours do.
import { Queue, Worker } from 'bullmq'

const [socket, jobs, concurrency] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const connection = { path: socket, maxRetriesPerRequest: null, enableAutoPipelining: true }
const steps = 3
const names = ['loaded', 'underway', 'landed', 'delivered']
const state = (number, step) => {
  const data = { number, step, state: names[step], cargo: '' }
  data.cargo = 'x'.repeat(200 - JSON.stringify(data).length)
  return data
}

const queue = new Queue('haul', { connection })
await queue.waitUntilReady()
const submitting = performance.now()
for (let at = 0; at < jobs; at += 1000) {
  const some = []
  for (let i = at; i < Math.min(at + 1000, jobs); i++) {
    some.push({ name: 'haul', data: state(i, 0), opts: { jobId: `haul-${10000000 + i}` } })
  }
  await queue.addBulk(some)
}
const submitted = (performance.now() - submitting) / 1000

let transitions = 0
let completed = 0
let done
const all = new Promise(resolve => { done = resolve })
const worker = new Worker('haul', async job => {
  for (let step = job.data.step + 1; step < steps; step++) {
    await job.updateData(state(job.data.number, step))
    transitions++
  }
  return state(job.data.number, steps)
}, { connection, concurrency, autorun: false })
worker.on('completed', () => { transitions++; if (++completed === jobs) done() })
worker.on('failed', (_, error) => { console.error(error); process.exit(1) })
worker.on('error', error => { console.error(error); process.exit(1) })
const redis = await queue.client
const serverCpu = async () => {
  const info = await redis.info('cpu')
  return Number(/used_cpu_user:(\S+)/.exec(info)[1]) + Number(/used_cpu_sys:(\S+)/.exec(info)[1])
}
const server = await serverCpu()
const cpu = process.cpuUsage()
const begun = performance.now()
worker.run()
await all
const seconds = (performance.now() - begun) / 1000
const used = process.cpuUsage(cpu)
const serverUsed = await serverCpu() - server
const counts = await queue.getJobCounts('completed', 'failed', 'wait', 'active')
if (counts.completed !== jobs || counts.failed + counts.wait + counts.active !== 0) {
  console.error('Redis counts other jobs than were asked for', counts)
  process.exit(1)
}
console.log(`submitted_per_second ${jobs / submitted}`)
console.log(`seconds ${seconds}`)
console.log(`transitions ${transitions}`)
console.log(`cpu_seconds ${(used.user + used.system) / 1e6 + serverUsed}`)
console.log(`server_cpu_seconds ${await serverCpu()}`)
process.exit(0)
