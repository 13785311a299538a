// The named node finalizes 30 blocks more than any node has now.

const { finalizedHeight } = require('./rpc.js');

const BLOCKS = 30;

/** Called by zombienet, which ends it after its own time limit. */
async function run(nodeName, networkInfo) {
  const nodes = Object.values(networkInfo.nodesByName);
  // A node that is paused does not answer.
  const heights = await Promise.allSettled(nodes.map(finalizedHeight));
  const target = Math.max(...heights.map(({ value }) => value ?? 0)) + BLOCKS;
  const node = networkInfo.nodesByName[nodeName];
  for (;;) {
    const height = await finalizedHeight(node).catch(() => 0);
    if (height >= target) return height;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

module.exports = { run };
