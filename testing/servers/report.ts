// What every real server answers in these tests: one line that says who it thinks the client is. One format for all of
// them, so that one assertion serves all.

/** One side of a connection, as a server reports it. */
export interface ReportedEndpoint {
  address: string;
  port: number;
}

export interface Report {
  client: ReportedEndpoint;
  /** The address that the client connected to, where the server can tell. */
  destination?: ReportedEndpoint;
  /** Who really connected: the balancer. */
  peer?: ReportedEndpoint;
}

/** Takes `client=ADDRESS PORT destination=ADDRESS PORT peer=ADDRESS PORT`; the last two may be missing. */
export function parseReport(text: string): Report {
  const client = endpoint(text, 'client');
  if (client === undefined) throw new Error(`no report in ${JSON.stringify(text)}`);
  const destination = endpoint(text, 'destination');
  const peer = endpoint(text, 'peer');
  return { client, ...(destination && { destination }), ...(peer && { peer }) };
}

function endpoint(text: string, name: string): ReportedEndpoint | undefined {
  const match = text.match(new RegExp(`${name}=(\\S+) (\\d+)`));
  return match === null ? undefined : { address: match[1] ?? '', port: Number(match[2]) };
}

/** What an HTTP/1.0 client got, without the head. */
export function bodyOf(response: string): string {
  const at = response.indexOf('\r\n\r\n');
  if (at < 0) throw new Error(`not an HTTP response: ${JSON.stringify(response)}`);
  return response.slice(at + 4);
}
