const MODEL = 'openai/gpt-4o-mini'

/** The same first request in three languages, for whoever reads this page at this address. */
export function snippets(base: string): Record<'curl' | 'python' | 'node', string> {
  return {
    curl: `curl ${base}/chat/completions \\
  -H "Authorization: Bearer $TOLLGATE_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${MODEL}", "messages": [{"role": "user", "content": "Hello!"}]}'`,
    python: `import os
from openai import OpenAI

client = OpenAI(base_url="${base}", api_key=os.environ["TOLLGATE_API_KEY"])
answer = client.chat.completions.create(
    model="${MODEL}",
    messages=[{"role": "user", "content": "Hello!"}],
)
print(answer.choices[0].message.content)`,
    node: `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: '${base}', apiKey: process.env.TOLLGATE_API_KEY })
const answer = await client.chat.completions.create({
  model: '${MODEL}',
  messages: [{ role: 'user', content: 'Hello!' }],
})
console.log(answer.choices[0].message.content)`,
  }
}
