// Text in the style of wg-quick: any bytes give a tunnel that can be shown and sent, or errors.

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "src/spec/wg_quick.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace plumbline;
  Diagnostics found;
  const spec::TunnelText text{{reinterpret_cast<const char*>(bytes), size}, "wg0.conf", {}};
  const auto config = spec::read_wg_quick(text, "/wireguard", found);
  if (config.has_value() != found.ok()) std::abort();
  for (const Diagnostic& error : found.errors) static_cast<void>(format(error));
  if (!config) return 0;
  const WireGuard& device = config->device;
  static_cast<void>(boost::json::serialize(to_spec(device)));
  if (transition(device, complete(device, device)).change != Change::none) std::abort();
  LinkNames links;
  static_cast<void>(create(device, links));
  static_cast<void>(update(WireGuard(), device, links));
  static_cast<void>(update(device, WireGuard(), links));
  return 0;
}
