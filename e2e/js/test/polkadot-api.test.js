// Cascoin L2 through the ecosystem's client, unmodified: what works here works in
// Polkadot.js Apps and in the wallets built on the same library.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { merkleizeMetadata } from '@polkadot-api/merkleize-metadata';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { startLitecoind, startNode, until } from '../processes.js';

describe('@polkadot/api against a node over a real L1', { timeout: 240_000 }, () => {
  let l1;
  let node;
  let api;
  const warnings = [];

  before(async () => {
    const warn = console.warn;
    console.warn = (...text) => {
      warnings.push(text.join(' '));
      warn(...text);
    };
    l1 = await startLitecoind();
    node = await startNode(l1);
    api = await ApiPromise.create({ provider: new WsProvider(node.url), throwOnConnect: true });
  });

  after(async () => {
    await api?.disconnect();
    await node?.stop();
    await l1?.stop();
  });

  it('connects, reads the metadata and the chain properties', async () => {
    assert.ok(api.runtimeVersion.specVersion.toNumber() > 0);
    assert.ok(api.tx.balances.transferAllowDeath);
    const properties = await api.rpc.system.properties();
    assert.equal(properties.ss58Format.unwrap().toNumber(), 42);
    assert.equal(properties.tokenDecimals.unwrap().length, 1);
    assert.equal(properties.tokenSymbol.unwrap().length, 1);
  });

  it('meets no transaction extension with a payload it does not know', () => {
    // An unknown extension is taken to have no effect; that is right only for
    // those without payload.
    const unknown = warnings.filter((text) => /unknown (signed|transaction) extension/i.test(text));
    const names = unknown.flatMap((text) => text.match(/extensions? (.*?) found/i)?.[1].split(', ') ?? [text]);
    const { transactionExtensions, signedExtensions } = api.registry.metadata.extrinsic;
    const lookup = (id) => api.registry.createType(api.registry.createLookupType(id)).encodedLength;
    for (const name of names) {
      const extension = [...(transactionExtensions ?? signedExtensions)].find(
        ({ identifier }) => identifier.toString() === name,
      );
      assert.ok(extension, `${name} is in the metadata`);
      assert.equal(lookup(extension.type), 0, `${name} has a payload`);
    }
  });

  it('signs and sends a transfer and sees it finalized', async () => {
    const keyring = new Keyring({ type: 'sr25519' });
    const alice = keyring.addFromUri('//Alice');
    const fresh = keyring.addFromUri('//FreshFromJs');
    const amount = 12_345_678n;
    const finalized = await new Promise((resolve, reject) => {
      api.tx.balances
        .transferAllowDeath(fresh.address, amount)
        .signAndSend(alice, (result) => {
          if (result.dispatchError) reject(new Error(result.dispatchError.toString()));
          if (result.isError) reject(new Error(result.status.toString()));
          if (result.isFinalized) resolve(result);
        })
        .catch(reject);
    });
    const names = finalized.events.map(({ event }) => `${event.section}.${event.method}`);
    assert.ok(names.includes('balances.Transfer'), names.join());
    assert.ok(names.includes('system.ExtrinsicSuccess'), names.join());
    const { data } = await api.query.system.account(fresh.address);
    assert.equal(data.free.toBigInt(), amount);
  });

  it('signs a transfer whose mortality is bounded, as wallets do', async () => {
    const alice = new Keyring({ type: 'sr25519' }).addFromUri('//Alice');
    const to = new Keyring({ type: 'sr25519' }).addFromUri('//FreshFromJs').address;
    const transfer = api.tx.balances.transferAllowDeath(to, 1n);
    await transfer.signAsync(alice, { era: 64 });
    assert.ok(transfer.era.isMortalEra);
    await new Promise((resolve, reject) => {
      transfer
        .send((result) => {
          if (result.dispatchError || result.isError) reject(new Error(result.status.toString()));
          if (result.isFinalized) resolve();
        })
        .catch(reject);
    });
  });

  it('checks the hash of the metadata that an offline signer showed', async () => {
    const alice = new Keyring({ type: 'sr25519' }).addFromUri('//Alice');
    const to = new Keyring({ type: 'sr25519' }).addFromUri('//FreshFromJs').address;
    const metadata = (await api.call.metadata.metadataAtVersion(15)).unwrap();
    // The WASM serves all networks and knows mainnet's symbol and decimals.
    const hashOf = (tokenSymbol) => {
      const digest = merkleizeMetadata(metadata.toHex(), { decimals: 7, tokenSymbol }).digest();
      return `0x${Buffer.from(digest).toString('hex')}`;
    };
    const send = (metadataHash) =>
      new Promise((resolve, reject) => {
        api.tx.balances
          .transferAllowDeath(to, 1n)
          .signAndSend(alice, { mode: 1, metadataHash }, (result) => {
            if (result.dispatchError || result.isError) reject(new Error(result.status.toString()));
            if (result.isFinalized) resolve(result);
          })
          .catch(reject);
      });
    const { txIndex } = await send(hashOf('CAS'));
    assert.ok(txIndex > 0);
    // Who was shown other metadata has signed something else.
    await assert.rejects(send(hashOf('FAKE')), /bad signature/i);
  });

  it('signs with ed25519 and ecdsa accounts as well', async () => {
    const alice = new Keyring({ type: 'sr25519' }).addFromUri('//Alice');
    const unit = 10n ** BigInt((await api.rpc.system.properties()).tokenDecimals.unwrap()[0].toNumber());
    const nonce = (await api.rpc.system.accountNextIndex(alice.address)).toNumber();
    const send = (call, signer, options = {}) =>
      new Promise((resolve, reject) => {
        call
          .signAndSend(signer, options, (result) => {
            if (result.dispatchError || result.isError) reject(new Error(result.status.toString()));
            if (result.isFinalized) resolve(result);
          })
          .catch(reject);
      });
    const others = ['ed25519', 'ecdsa'].map((type) => new Keyring({ type }).addFromUri(`//Js//${type}`));
    await Promise.all(
      others.map(({ address }, index) =>
        send(api.tx.balances.transferAllowDeath(address, unit), alice, { nonce: nonce + index }),
      ),
    );
    await Promise.all(others.map((pair) => send(api.tx.balances.transferAllowDeath(alice.address, unit / 2n), pair)));
  });

  it('decodes every extrinsic of the chain, relay transactions of AuthorizeCall included', async () => {
    const recipient = new Keyring({ type: 'sr25519' }).addFromUri('//BurnedFor').address;
    const { hex } = await node.rpc('l2_createburntx', ['1.5', recipient]);
    await node.rpc('l2_sendburntx', [hex]);
    await l1.mine(1);
    const wanted = ['vote', 'applyPage'];
    const relayed = await until('votes and a page in blocks', async () => {
      const found = [];
      const finalized = await api.rpc.chain.getFinalizedHead();
      const head = (await api.rpc.chain.getHeader(finalized)).number.toNumber();
      for (let height = 1; height <= head; height++) {
        const hash = await api.rpc.chain.getBlockHash(height);
        // Decodes, and throws where it cannot.
        const { block } = await api.rpc.chain.getBlock(hash);
        assert.equal(block.header.number.toNumber(), height);
        const raw = await node.rpc('chain_getBlock', [hash.toHex()]);
        block.extrinsics.forEach((extrinsic, index) => {
          // 16.5.6 puts the length of a General extrinsic twice before the bytes of its
          // wrapper (ADR 0006); what it decoded is `inner`.
          const decoded = extrinsic.isGeneral() ? extrinsic.inner : extrinsic;
          assert.equal(decoded.toHex(), raw.block.extrinsics[index], 'decoding loses nothing');
          assert.ok(extrinsic.method.section && extrinsic.method.method);
          assert.ok(extrinsic.toHuman());
          if (extrinsic.method.section === 'l1Relay') found.push(extrinsic);
        });
      }
      const calls = new Set(found.map(({ method }) => method.method));
      return wanted.every((call) => calls.has(call)) && found;
    });
    const { data } = await api.query.system.account(recipient);
    assert.ok(data.free.toBigInt() > 0n, 'the page minted');
    for (const extrinsic of relayed) {
      assert.equal(extrinsic.isGeneral(), true);
      assert.equal(extrinsic.isSigned, false);
      assert.equal(extrinsic.type & 0x3f, 5, 'extrinsic format version 5');
    }
  });

  it('names the author of a block', async () => {
    const header = await api.derive.chain.getHeader(await api.rpc.chain.getBlockHash(2));
    const validators = await api.query.session.validators();
    assert.equal(header.author?.toString(), validators[0].toString());
  });

  it('follows blocks by subscription, and they are final at once', async () => {
    const heads = [];
    await new Promise((resolve, reject) => {
      api.rpc.chain
        .subscribeFinalizedHeads((head) => {
          heads.push(head.number.toNumber());
          if (heads.length === 5) resolve();
        })
        .then((stop) => setTimeout(stop, 5_000).unref(), reject);
    });
    assert.deepEqual(heads, heads.map((_, index) => heads[0] + index), 'no height is left out');
  });
});
