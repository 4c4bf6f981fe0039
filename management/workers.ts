import cluster, { type Worker } from 'node:cluster'
import { AggregatorRegistry, type Registry } from 'prom-client'
import type { ManagementSources } from './app.ts'

/** Sent between the primary process and its workers (node:cluster). */
type Question = Readonly<{ kind: 'kenpo:missing?'; id: number }>
type Answer = Readonly<{ kind: 'kenpo:missing'; id: number; missing: readonly string[] }>

/** Less than a probe waits, more than a worker's own check takes. */
const ANSWER_MS = 2500

const kindOf = (message: unknown): unknown =>
  typeof message === 'object' && message !== null && 'kind' in message ? message.kind : undefined
// Only this file sends messages of these kinds.
const isQuestion = (message: unknown): message is Question => kindOf(message) === 'kenpo:missing?'
const isAnswer = (message: unknown): message is Answer => kindOf(message) === 'kenpo:missing'

/** In a worker: answers the primary, which has the management port for all of them. */
export const answerPrimary = (missing: ManagementSources['missing'], registry: Registry): void => {
  AggregatorRegistry.setRegistries([registry])
  // Made for its listener: it is what answers the primary's request for figures.
  new AggregatorRegistry()
  process.on('message', (message: unknown) => {
    if (!isQuestion(message)) return
    missing().then((reasons) => {
      const answer: Answer = { kind: 'kenpo:missing', id: message.id, missing: reasons }
      // A primary that has gone takes its workers along: there is nobody left to be told.
      process.send?.(answer, undefined, undefined, () => {})
    })
  })
}

let asked = 0

const ask = (worker: Worker): Promise<readonly string[]> =>
  new Promise((resolve) => {
    asked += 1
    const question: Question = { kind: 'kenpo:missing?', id: asked }
    const settle = (missing: readonly string[]) => {
      clearTimeout(late)
      worker.off('message', hear)
      resolve(missing)
    }
    const hear = (message: unknown) => {
      if (isAnswer(message) && message.id === question.id) settle(message.missing)
    }
    const late = setTimeout(() => settle(['it does not answer']), ANSWER_MS)
    worker.on('message', hear)
    worker.send(question, (error) => {
      if (error) settle(['it has just ended'])
    })
  })

/**
 * In the primary: what is missing for this machine to serve. One ready worker is enough, since all
 * share the port; the others are seen in the figures.
 */
export const missingOfWorkers = async (): Promise<readonly string[]> => {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
  if (workers.length === 0) return ['no worker runs']
  const answers = await Promise.all(workers.map(ask))
  if (answers.some((missing) => missing.length === 0)) return []
  return answers.flatMap((missing, index) =>
    missing.map((reason) => `worker ${workers[index]?.id}: ${reason}`),
  )
}

/** In the primary: the workers' figures, added up. */
export const metricsOfWorkers = (): ManagementSources['metrics'] => {
  const registry = new AggregatorRegistry()
  return async () => ({
    contentType: registry.contentType,
    text: await registry.clusterMetrics(),
  })
}
