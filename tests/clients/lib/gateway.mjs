// The gateway that the clients are tried against, and what the tests share.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const URL_OF_GRAPH = `${process.env.NAAP_URL ?? 'http://127.0.0.1:8000'}/graphql`
export const HERE = fileURLToPath(new URL('..', import.meta.url))
export const EXPORTED = readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8')

/** The data of an answer without errors. */
export async function ask(query, variables) {
  const answer = await fetch(URL_OF_GRAPH, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  })
  const { data, errors } = await answer.json()
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

/** A fetch that keeps what passes through it: [method, body or query string, status]. */
export function recorded() {
  const requests = []
  const recording = async (url, options = {}) => {
    const answer = await fetch(url, options)
    const body = options.body ? JSON.parse(options.body) : Object.fromEntries(new URL(url).searchParams)
    requests.push({ method: options.method ?? 'GET', body, status: answer.status })
    return answer
  }
  return { fetch: recording, requests }
}
