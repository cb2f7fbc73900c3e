// What a balancer owes the two ends of a session, judged once both are done. A FIN promises every byte; a reset without a FIN before
// it must never look like an orderly end; a FIN that arrived is not taken back by a reset behind it.

import type { End } from './end.ts';

/** @returns what was wrong, in words; empty when everything was right */
export function judge(client: End, node: End): string[] {
  return [...judgeStream('client -> node', client, node), ...judgeStream('node -> client', node, client)];
}

function judgeStream(name: string, sender: End, receiver: End): string[] {
  const wrong: string[] = [];
  const say = (text: string) => wrong.push(`${name}: ${text} (sent ${sender.sent}, received ${receiver.received})`);
  if (receiver.problem !== undefined) say(receiver.problem);
  if (receiver.received > sender.sent) say('more bytes than were sent');
  if (receiver.seen === 'left') return wrong;
  if (receiver.seen === 'fin') {
    if (!sender.hasFinished) say(sender.hasReset ? 'a reset was passed on as a FIN' : 'a FIN that nobody sent');
    else if (receiver.received < sender.sent) say('a FIN, but bytes are missing');
  }
  if (receiver.seen === 'rst') {
    if (sender.isAcknowledged) say('a finished stream ended in a reset');
    else if (!sender.hasReset) say('a reset that nobody sent');
  }
  return wrong;
}
