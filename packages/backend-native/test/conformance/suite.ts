// A program: runs tfjs-core's suite on the native backend and reports to the process that forked
// it. The order of these imports is that of what they do.
import { environment } from "./jasmine-environment.ts";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import "@tensorflow/tfjs-backend-cpu";
import "./native-environment.ts";
import "@tensorflow/tfjs-core/dist/tests.js";
import type { Result } from "jasmine-core/lib/jasmine-core/jasmine.js";
import { excluded } from "./excluded.ts";
import type { Message } from "./run-suite.ts";

const names = excluded.flatMap((exclusion) => exclusion.names);
const send = (message: Message) => process.send?.(message);
const messages = ({ failedExpectations }: Pick<Result, "failedExpectations">) =>
  failedExpectations.map(({ message }) => message);

environment.configure({
  random: false,
  specFilter: (spec) => !names.some((name) => spec.getFullName().startsWith(name)),
});
environment.addReporter({
  specStarted: ({ fullName }) => send({ started: fullName }),
  specDone: (result) => {
    const ran = result.status === "passed" || result.status === "failed";
    send({ spec: { name: result.fullName, ran, failures: messages(result) } });
  },
  suiteDone: (result) => {
    const failures = messages(result);
    if (failures.length > 0) send({ spec: { name: result.fullName, ran: true, failures } });
  },
  jasmineDone: (result) => {
    const failures = messages(result);
    if (failures.length > 0) send({ spec: { name: "the suite", ran: true, failures } });
  },
});
await environment.execute();
process.send?.({ done: true } satisfies Message, () => process.exit());
