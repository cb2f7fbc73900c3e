// What is used of autocannon 9, which brings no types.

declare module 'autocannon' {
  interface Result {
    /** of connections, and timeouts */
    errors: number;
    non2xx: number;
    requests: { total: number };
    /** bytes */
    throughput: { total: number };
  }

  interface Instance {
    on(
      event: 'response',
      listener: (client: unknown, statusCode: number, bytes: number, latencyMs: number) => void,
    ): this;
  }

  export default function autocannon(
    options: { url: string; connections: number; duration: number },
    done: (error: Error | null, result: Result) => void,
  ): Instance;
}
