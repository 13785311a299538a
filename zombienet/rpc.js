// JSON-RPC over HTTP against nodes of a zombienet network.

const CALL_LIMIT_MS = 3_000;

/** Calls a method of a node; a node that hangs counts as failing. */
async function call({ wsUri }, method, params = []) {
  const response = await fetch(wsUri.replace('ws://', 'http://'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(CALL_LIMIT_MS),
  });
  const { result, error } = await response.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

/** Height of a node's last finalized block. */
async function finalizedHeight(node) {
  const header = await call(node, 'chain_getHeader', [await call(node, 'chain_getFinalizedHead')]);
  return parseInt(header.number, 16);
}

module.exports = { call, finalizedHeight };
