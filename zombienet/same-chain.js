// All nodes hold the same block at every height that all have finalized.

/** Called by zombienet; an exception fails the assertion. */
async function run(_nodeName, networkInfo) {
  const nodes = Object.values(networkInfo.nodesByName);
  const rpc = async ({ wsUri }, method, params = []) => {
    const response = await fetch(wsUri.replace('ws://', 'http://'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const { result, error } = await response.json();
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  const finalized = await Promise.all(
    nodes.map(async (node) => {
      const header = await rpc(node, 'chain_getHeader', [await rpc(node, 'chain_getFinalizedHead')]);
      return parseInt(header.number, 16);
    }),
  );
  const heights = Array.from({ length: Math.min(...finalized) + 1 }, (_, height) => height);
  const chains = await Promise.all(nodes.map((node) => rpc(node, 'chain_getBlockHash', [heights])));
  for (const height of heights) {
    const hashes = new Set(chains.map((chain) => chain[height]));
    if (hashes.size !== 1 || hashes.has(null)) {
      throw new Error(`height ${height}: ${[...hashes].join(' / ')}`);
    }
  }
  return nodes.length;
}

module.exports = { run };
