// ethers as a witness of keystore files: opens one and writes one, as JSON on standard input says.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const { Wallet, encryptKeystoreJson } = createRequire(asked.modules + '/x.js')('ethers');

const answer =
  asked.open !== undefined
    ? { key: (await Wallet.fromEncryptedJson(asked.open, asked.password)).privateKey }
    : { file: await encryptKeystoreJson(new Wallet(asked.key), asked.password, { scrypt: { N: 1024, r: 8, p: 1 } }) };
process.stdout.write(JSON.stringify(answer));
