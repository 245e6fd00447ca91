// The SDK's own copy of mqtt-packet carries no typings at this path.
declare module "azure-iot-mqtt-base/node_modules/mqtt-packet/mqtt.js" {
  const packet: { readonly writeToStream: { cacheNumbers: boolean } };
  export = packet;
}
