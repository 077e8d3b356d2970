// What people do with OpenAI's own JavaScript client, against a server that speaks its protocol.
// Reads BASE_URL, KEY, READ_KEY (without the scope for models) and TEXT (what providers say); prints one line a check.
import assert from "node:assert/strict";
import OpenAI from "openai";

const { BASE_URL, KEY, READ_KEY, TEXT } = process.env;
const client = new OpenAI({ baseURL: BASE_URL, apiKey: KEY, maxRetries: 0 });
const messages = [{ role: "developer", content: "Be brief." }, { role: "user", content: "What now?" }];
const parameters = { type: "object", properties: { campaign: { type: "string" }, amount: { type: "number" } } };
const tools = [{ type: "function", function: { name: "set_budget", description: "Sets it.", parameters } }];
const flatTools = [{ type: "function", name: "set_budget", parameters, strict: false }];
const schema = {
  type: "object",
  properties: { action: { type: "string" }, share: { type: "number" }, why: { type: "string" } },
  required: ["action", "share", "why"],
  additionalProperties: false,
};

async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It should have been refused.");
}

const checks = {
  async models() {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    assert.deepEqual(names.slice(0, 2), ["auto", "main"]);
    assert.equal((await client.models.retrieve("auto:explain")).id, "auto:explain");
  },
  async plain() {
    const { data, response } = await client.chat.completions.create({ model: "main", messages }).withResponse();
    assert.equal(data.choices[0].message.content, TEXT);
    assert.equal(data.choices[0].finish_reason, "stop");
    assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
    assert.equal(response.headers.get("x-accord-provider"), "main");
    assert.equal(response.headers.get("x-accord-attempts"), "1");
    assert.match(response.headers.get("x-accord-cost"), /^\d+\.\d+$/);
  },
  async everyWire() {
    for (const model of ["claude", "gemini"]) {
      const answer = await client.chat.completions.create({ model, messages });
      assert.equal(answer.choices[0].message.content, TEXT);
    }
  },
  async stream() {
    const options = { include_usage: true };
    const stream = await client.chat.completions.create({ model: "main", messages, stream: true, stream_options: options });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.equal(chunks[0].choices[0].delta.role, "assistant");
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join(""), TEXT);
    assert.equal(chunks.at(-2).choices[0].finish_reason, "stop");
    assert.deepEqual(chunks.at(-1).choices, []);
    assert.equal(chunks.at(-1).accord.provider, "main");
    assert.ok(chunks.at(-1).usage.completion_tokens > 0);
  },
  async streamHelper() {
    const runner = client.chat.completions.stream({ model: "claude", messages });
    assert.equal(await runner.finalContent(), TEXT);
  },
  async tools() {
    const asked = await client.chat.completions.create({ model: "main", messages, tools, tool_choice: "auto" });
    const { message, finish_reason } = asked.choices[0];
    assert.equal(finish_reason, "tool_calls");
    assert.equal(message.tool_calls[0].function.name, "set_budget");
    assert.equal(JSON.parse(message.tool_calls[0].function.arguments).amount, 1200);
    const result = { role: "tool", tool_call_id: message.tool_calls[0].id, content: "done" };
    const answer = await client.chat.completions.create({ model: "main", messages: [...messages, message, result] });
    assert.equal(answer.choices[0].message.content, TEXT);
  },
  async streamedTools() {
    for (const model of ["main", "claude", "gemini"]) {
      const runner = client.chat.completions.stream({ model, messages, tools, parallel_tool_calls: true });
      const { choices } = await runner.finalChatCompletion();
      assert.equal(JSON.parse(choices[0].message.tool_calls[0].function.arguments).campaign, "Été");
    }
  },
  async jsonSchema() {
    const format = { type: "json_schema", json_schema: { name: "decision", schema, strict: true } };
    const answer = await client.chat.completions.parse({ model: "main", messages, response_format: format });
    assert.equal(answer.choices[0].message.parsed.action, "hold");
  },
  async responses() {
    const answer = await client.responses.create({ model: "main", instructions: "Be brief.", input: "What now?" });
    assert.equal(answer.output_text, TEXT);
    assert.equal(answer.store, false);
    assert.equal(answer.status, "completed");
    assert.ok(answer.usage.total_tokens > 0);
  },
  async responseStream() {
    const runner = client.responses.stream({ model: "main", input: "What now?" });
    const kinds = [];
    for await (const event of runner) kinds.push(event.type);
    assert.equal(kinds[0], "response.created");
    assert.equal(kinds.at(-1), "response.completed");
    assert.equal((await runner.finalResponse()).output_text, TEXT);
  },
  async responseTools() {
    const input = [{ role: "user", content: "What now?" }];
    const asked = await client.responses.create({ model: "main", input, tools: flatTools });
    const call = asked.output.find((item) => item.type === "function_call");
    assert.equal(JSON.parse(call.arguments).amount, 1200);
    const result = { type: "function_call_output", call_id: call.call_id, output: "done" };
    const answer = await client.responses.create({ model: "main", input: [...input, ...asked.output, result] });
    assert.equal(answer.output_text, TEXT);
    const streamed = client.responses.stream({ model: "main", input, tools: flatTools });
    assert.equal((await streamed.finalResponse()).output[0].name, "set_budget");
  },
  async responseSchema() {
    const format = { type: "json_schema", name: "decision", schema, strict: true };
    const answer = await client.responses.parse({ model: "main", input: "What now?", text: { format } });
    assert.equal(answer.output_parsed.share, 0.25);
  },
  async wrongRequests() {
    const create = (more) => refusal(client.chat.completions.create({ model: "main", messages, ...more }));
    const many = await create({ n: 2 });
    assert.ok(many instanceof OpenAI.BadRequestError);
    assert.equal(many.param, "n");
    assert.equal((await create({ colour: "red" })).code, "unknown_parameter");
    const unknown = await create({ model: "gpt-4o" });
    assert.ok(unknown instanceof OpenAI.NotFoundError);
    assert.equal(unknown.code, "model_not_found");
    assert.match(unknown.message, /'main'/);
    const previous = await refusal(client.responses.create({ model: "main", input: "x", previous_response_id: "resp_1" }));
    assert.equal(previous.param, "previous_response_id");
  },
  async whoMay() {
    const stranger = new OpenAI({ baseURL: BASE_URL, apiKey: "no-such-key", maxRetries: 0 });
    assert.ok((await refusal(stranger.models.list())) instanceof OpenAI.AuthenticationError);
    const reader = new OpenAI({ baseURL: BASE_URL, apiKey: READ_KEY, maxRetries: 0 });
    assert.ok((await refusal(reader.models.list())) instanceof OpenAI.PermissionDeniedError);
  },
  async providersThatFail() {
    const down = await refusal(client.chat.completions.create({ model: "down", messages, stream: true }));
    assert.ok(down.status >= 502 && down.status <= 504, String(down.status));
    const refused = await refusal(client.chat.completions.create({ model: "refuses", messages }));
    assert.ok(refused instanceof OpenAI.BadRequestError);
    assert.equal(refused.code, "content_policy_violation");
  },
  async budget() {
    const poor = new OpenAI({ baseURL: BASE_URL, apiKey: KEY });
    const error = await refusal(poor.chat.completions.create({ model: "auto:poor", messages }));
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.equal(error.code, "insufficient_quota");
  },
  async brokenStream() {
    const stream = await client.chat.completions.create({ model: "cut", messages, stream: true });
    let text = "";
    let finished = false;
    const read = async () => {
      for await (const chunk of stream) {
        text += chunk.choices[0].delta.content ?? "";
        finished ||= chunk.choices[0].finish_reason !== null;
      }
    };
    assert.ok((await refusal(read())) instanceof OpenAI.APIError);
    assert.ok(text.length > 0 && TEXT.startsWith(text) && !finished);
  },
  async brokenResponse() {
    const stream = await client.responses.create({ model: "cut", input: "What now?", stream: true });
    let last;
    for await (const event of stream) last = event;
    assert.equal(last.type, "response.failed");
    assert.equal(last.response.status, "failed");
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`failed ${name}: ${error.stack}`);
  }
}
process.exitCode = failed ? 1 : 0;
