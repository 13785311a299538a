// Stock light clients: npm's smoldot, unpatched, follows a running network to
// finality over changes of the set, and polkadot-api works on top of it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { createClient, Enum } from 'polkadot-api';
import { getPolkadotSigner } from 'polkadot-api/signer';
import { getSmProvider } from 'polkadot-api/sm-provider';
import { start } from 'smoldot';
import { chainSpec, startNode, until } from '../processes.js';

/** Blocks of a session; new keys are in force after two of them. */
const SESSION = 10;

describe('smoldot and polkadot-api against a node', { timeout: 400_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'cascoin-js-light-'));
  const clients = [];
  let node;
  let api; // to change keys; the light clients are alone
  let spec;
  const keyring = new Keyring({ type: 'sr25519' });
  const alice = keyring.addFromUri('//Alice');

  before(async () => {
    const plain = chainSpec('dev');
    const { parameters } = plain.genesis.runtimeGenesis.patch.chainParameters;
    Object.assign(parameters, { sessionBlocks: SESSION });
    const file = join(folder, 'short-sessions.json');
    writeFileSync(file, JSON.stringify(plain));
    node = await startNode(undefined, file);
    spec = JSON.stringify({ ...chainSpec(file, '--raw'), bootNodes: [node.address] });
    api = await ApiPromise.create({ provider: new WsProvider(node.url), throwOnConnect: true });
  });

  after(async () => {
    for (const client of clients) await client.terminate();
    await api?.disconnect();
    await node?.stop();
    rmSync(folder, { recursive: true, force: true });
    // Timers of an ended smoldot, some of them long, keep the process alive.
    setTimeout(() => process.exit(), 1_000);
  });

  /** A light client; what it logs is shown if a test fails. */
  function light(log) {
    const logCallback = (level, target, message) => log.push(`${level} ${target} ${message}`);
    const client = start({ maxLogLevel: 4, logCallback });
    clients.push(client);
    return client;
  }

  /** Heights that a chain of smoldot finalizes, as they come. */
  async function follow(chain) {
    const heights = [];
    let pending = new Map();
    let id = 0;
    const ask = (method, params) =>
      new Promise((resolve, reject) => {
        id += 1;
        pending.set(`${id}`, { resolve, reject });
        chain.sendJsonRpc(JSON.stringify({ jsonrpc: '2.0', id: `${id}`, method, params }));
      });
    (async () => {
      try {
        for await (const text of chain.jsonRpcResponses) {
          const message = JSON.parse(text);
          if (message.method === 'chain_finalizedHead') {
            heights.push(Number.parseInt(message.params.result.number, 16));
            continue;
          }
          const waiting = pending.get(message.id);
          if (message.error) waiting?.reject(new Error(message.error.message));
          else waiting?.resolve(message.result);
        }
      } catch {
        // The client was ended.
      }
    })();
    await ask('chain_subscribeFinalizedHeads', []);
    return { heights, ask };
  }

  const height = async () => Number.parseInt((await node.rpc('chain_getHeader')).number, 16);
  const authorities = async () => (await api.query.grandpa.currentSetId()).toNumber();

  /** The sequencer gets new keys; resolves when they are in force. */
  async function changeTheSet() {
    const before = await authorities();
    const made = await node.rpc('author_rotateKeysWithOwner', [`0x${Buffer.from(alice.publicKey).toString('hex')}`]);
    await new Promise((resolve, reject) => {
      api.tx.session
        .setKeys(made.keys, made.proof)
        .signAndSend(alice, (result) => {
          if (result.dispatchError || result.isError) reject(new Error(result.status.toString()));
          if (result.isFinalized) resolve();
        })
        .catch(reject);
    });
    return until('the new set is in force', async () => (await authorities()) > before && (await height()));
  }

  it('follows to finality, from genesis over a change of the set by warp sync and over the next as it happens', async () => {
    const first = await changeTheSet();
    // Further behind than a light client catches up with block by block.
    await until('the chain is long', async () => (await height()) > Math.max(first + 5, 45));
    const log = [];
    try {
      const chain = await light(log).addChain({ chainSpec: spec });
      const { heights } = await follow(chain);
      await until('it is at the head', async () => heights.at(-1) >= (await height()) - 10);
      assert.ok(log.some((line) => /warp/i.test(line)), 'it says that it warp synced');
      const seen = heights.length;
      const second = await changeTheSet();
      await until('finality goes on behind the change', () => heights.at(-1) > second + 5);
      assert.ok(heights.length > seen + 5, `several blocks: ${heights.slice(seen)}`);
      assert.deepEqual(heights, [...heights].sort((a, b) => a - b), 'finality never goes back');
    } catch (error) {
      console.error(log.slice(-60).join('\n'));
      throw error;
    }
  });

  it('lets polkadot-api read a balance and send a transfer, without any other node', async () => {
    const log = [];
    const client = createClient(getSmProvider(() => light(log).addChain({ chainSpec: spec })));
    try {
      const unsafe = client.getUnsafeApi();
      const { data } = await unsafe.query.System.Account.getValue(alice.address);
      assert.equal(data.free, (await api.query.system.account(alice.address)).data.free.toBigInt());
      const fresh = keyring.addFromUri('//FreshFromLight').address;
      const value = 7_654_321n;
      const signer = getPolkadotSigner(alice.publicKey, 'Sr25519', (bytes) => alice.sign(bytes));
      const transfer = unsafe.tx.Balances.transfer_allow_death({ dest: Enum('Id', fresh), value });
      const result = await transfer.signAndSubmit(signer);
      assert.equal(result.ok, true, JSON.stringify(result.dispatchError));
      const credited = await unsafe.query.System.Account.getValue(fresh);
      assert.equal(credited.data.free, value);
    } catch (error) {
      console.error(log.slice(-60).join('\n'));
      throw error;
    } finally {
      client.destroy();
    }
  });
});
