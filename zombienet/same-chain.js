// All nodes hold the same block at every height that all have finalized.

const { call, finalizedHeight } = require('./rpc.js');

/** Called by zombienet; an exception fails the assertion. */
async function run(_nodeName, networkInfo) {
  const nodes = Object.values(networkInfo.nodesByName);
  const common = Math.min(...(await Promise.all(nodes.map(finalizedHeight))));
  const heights = Array.from({ length: common + 1 }, (_, height) => height);
  const chains = await Promise.all(nodes.map((node) => call(node, 'chain_getBlockHash', [heights])));
  for (const height of heights) {
    const hashes = new Set(chains.map((chain) => chain[height]));
    if (hashes.size !== 1 || hashes.has(null)) {
      throw new Error(`height ${height}: ${[...hashes].join(' / ')}`);
    }
  }
  return nodes.length;
}

module.exports = { run };
