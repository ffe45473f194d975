// A central system by the npm package ocpp-rpc in strict mode: it validates all that a station sends and how it answers.
// Says on stdout, one JSON object a line, what happens; takes calls to make on stdin, one JSON object a line:
//   {"identity": "CP-1", "action": "Reset", "payload": {"type": "Soft"}}
'use strict';

const readline = require('readline');
const { RPCServer } = require('ocpp-rpc');

const stations = new Map();
let transactionIds = 5001;

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const now = () => new Date().toISOString();

const answers = {
  BootNotification: () => ({ status: 'Accepted', currentTime: now(), interval: 300 }),
  Heartbeat: () => ({ currentTime: now() }),
  Authorize: (call) => (call.idToken
    ? { idTokenInfo: { status: 'Accepted' } }
    : { idTagInfo: { status: 'Accepted' } }),
  StartTransaction: () => ({ transactionId: transactionIds++, idTagInfo: { status: 'Accepted' } }),
  TransactionEvent: (call) => (call.idToken ? { idTokenInfo: { status: 'Accepted' } } : {}),
  DataTransfer: () => ({ status: 'Accepted' }),
};

const server = new RPCServer({ protocols: ['ocpp1.6', 'ocpp2.0.1'], strictMode: true });

server.auth((accept, reject, handshake) => {
  const offered = [...handshake.protocols].find((name) => ['ocpp1.6', 'ocpp2.0.1'].includes(name));
  return offered ? accept({}, offered) : reject(400, 'no OCPP subprotocol offered');
});

server.on('client', (client) => {
  const { identity } = client;
  stations.set(identity, client);
  say({ event: 'connected', identity, subprotocol: client.protocol });
  client.on('message', ({ message, outbound }) => say({ event: 'frame', identity, outbound, text: String(message) }));
  client.on('strictValidationFailure', ({ method, error, outbound }) => {
    say({ event: 'violation', identity, what: `${method}${outbound ? ' (ours)' : ''}: ${error.message} ${JSON.stringify(error.details ?? {})}` });
  });
  client.on('badMessage', ({ error }) => say({ event: 'violation', identity, what: String(error.message) }));
  client.on('close', ({ code }) => say({ event: 'closed', identity, code }));
  client.handle(({ method, params }) => (answers[method] ? answers[method](params) : {}));
});

async function call({ identity, action, payload }) {
  try {
    await stations.get(identity).call(action, payload);
  } catch (error) {
    // An ERROR of the station stands among the frames; anything else must be told.
    if (error.rpcErrorCode === undefined) say({ event: 'violation', identity, what: `${action}: ${error.message}` });
  }
}

readline.createInterface({ input: process.stdin })
  .on('line', (line) => call(JSON.parse(line)))
  .on('close', () => process.exit(0));

server.listen(0, '127.0.0.1').then((http) => say({ event: 'listening', port: http.address().port }));
