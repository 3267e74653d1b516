// The official SDK as a witness: answers one question about the network on standard input, as JSON.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const require = createRequire(asked.modules + '/x.js');
const { IExec, utils } = await import(pathToFileURL(require.resolve('iexec')).href);

const signer = utils.getSignerFromPrivateKey(asked.rpc, asked.key);
const iexec = new IExec(
  { ethProvider: signer },
  {
    hubAddress: asked.hub,
    smsURL: asked.services,
    iexecGatewayURL: asked.services,
    ipfsGatewayURL: asked.services,
    ipfsNodeURL: asked.services,
    compassURL: asked.services,
    confirms: 1,
  },
);

const answers = {
  async deal() {
    const deal = await iexec.deal.show(asked.dealid);
    return { app: deal.app.pointer, requester: deal.requester, size: String(deal.botSize), tasks: deal.tasks };
  },
  async task() {
    const task = await iexec.task.show(asked.taskid);
    return { status: task.status, digest: task.resultDigest, location: task.results.location };
  },
  async result() {
    const task = await iexec.task.show(asked.taskid);
    const deal = await iexec.deal.show(task.dealid);
    const answer = await iexec.task.fetchResults(asked.taskid);
    const plain = await utils.decryptResult(await answer.arrayBuffer(), asked.pem);
    writeFileSync(asked.to, plain);
    return { digest: task.resultDigest, pushed: await iexec.result.checkResultEncryptionKeyExists(deal.beneficiary) };
  },
  async keys() {
    const kind = { name: 'RSA-OAEP', modulusLength: 4096, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
    const pair = await crypto.subtle.generateKey(kind, true, ['encrypt', 'decrypt']);
    await iexec.result.pushResultEncryptionKey(pair.publicKey, { forceUpdate: true });
    const body = Buffer.from(await crypto.subtle.exportKey('pkcs8', pair.privateKey)).toString('base64');
    return { pem: `-----BEGIN PRIVATE KEY-----\n${body.match(/.{1,64}/g).join('\n')}\n-----END PRIVATE KEY-----` };
  },
  async orders() {
    const apps = await iexec.orderbook.fetchAppOrderbook({ app: asked.app });
    const pools = await iexec.orderbook.fetchWorkerpoolOrderbook({ category: 0 });
    return { apps: apps.orders.map((row) => row.orderHash), pools: pools.orders.map((row) => row.orderHash) };
  },
  async sign() {
    const order = await iexec.order.createRequestorder({
      app: asked.app,
      appmaxprice: 10 ** 6,
      workerpoolmaxprice: 10 ** 8,
      category: 0,
      volume: 2,
      params: { iexec_args: asked.args },
    });
    const signed = await iexec.order.signRequestorder(order);
    return { order: signed, hash: await iexec.order.hashRequestorder(signed) };
  },
  async submit() {
    const began = performance.now();
    const apps = await iexec.orderbook.fetchAppOrderbook({ app: asked.app, minTag: ['tee', 'tdx'], maxTag: ['tee', 'tdx'] });
    const pools = await iexec.orderbook.fetchWorkerpoolOrderbook({ category: 0, minTag: ['tee', 'tdx'] });
    const order = await iexec.order.createRequestorder({
      app: asked.app,
      appmaxprice: apps.orders[0].order.appprice,
      workerpoolmaxprice: pools.orders[0].order.workerpoolprice,
      category: 0,
      volume: asked.volume,
      params: { iexec_args: asked.args },
    });
    const matched = await iexec.order.matchOrders({
      apporder: apps.orders[0].order,
      workerpoolorder: pools.orders[0].order,
      requestorder: await iexec.order.signRequestorder(order),
    });
    return { dealid: matched.dealid, volume: String(matched.volume), seconds: (performance.now() - began) / 1000 };
  },
};

console.log(JSON.stringify(await answers[asked.question]()));
process.exit(0);
