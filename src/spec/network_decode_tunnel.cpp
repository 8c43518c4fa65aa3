// `wireguard` of a network: an interface that is there, or one that we make of a wg-quick text.

#include <algorithm>
#include <array>

#include "network_decode.hpp"
#include "network_words.hpp"
#include "secret_file.hpp"
#include "wg_quick.hpp"

namespace plumbline::spec {

namespace {

using wire::Entry;

constexpr Code bad_config = Code::invalid_wireguard_config;
/// The text of a managed tunnel, from the spec or from the file it names.
std::optional<TunnelText> config_of(const Entry& entry, const NetworkReading& reading) {
  if (const auto file = entry.find("configFile")) {
    auto text = read_secret_file(*file, reading.files, bad_config);
    if (!text) return std::nullopt;
    return TunnelText{*std::move(text), resolved_path(*file->string(), file->origin()),
                      file->origin()};
  }
  const auto config = entry.find("config");
  if (!config) return std::nullopt;
  auto text = config->string();
  if (!text) return std::nullopt;
  config->warning(Code::exposed_key,
                  "the private key of the tunnel is in the spec: 'configFile' keeps it out");
  return TunnelText{*std::move(text), {}, config->origin()};
}

/// Whether exactly one of the three says what the tunnel is; says so when not.
bool says_which(const Entry& entry) {
  const auto given = std::ranges::count_if(
      std::array<std::string_view, 3>{"existingInterface", "config", "configFile"},
      [&](std::string_view key) { return entry.has(key); });
  if (given == 1) return true;
  entry.error(bad_config,
              given == 0
                  ? "one of 'existingInterface', 'config' and 'configFile' is needed"
                  : "only one of 'existingInterface', 'config' and 'configFile' can be given");
  return false;
}

}  // namespace

std::optional<NetworkTunnel> decode_tunnel(const Entry& entry, const NetworkReading& reading) {
  const SectionCode section(reading.diagnostics, bad_config);
  if (!entry.is_object()) return std::nullopt;
  entry.only({"existingInterface", "config", "configFile", "interfaceName", "routeTable",
              "routeAllVmTraffic", "failClosed"});
  NetworkTunnel tunnel;
  tunnel.interface = *IfName::parse("svwg0");
  tunnel.origin = entry.origin();
  tunnel.interface_origin = entry.origin();
  bool named = true;
  const auto name_by = [&](std::string_view key) {
    const auto member = entry.find(key);
    if (!member) return;
    const auto name = network_link_word(*member);
    named = named && name.has_value();
    tunnel.interface = name.value_or(tunnel.interface);
    tunnel.interface_origin = member->origin();
  };
  name_by("interfaceName");
  name_by("existingInterface");
  if (const auto name = entry.find("interfaceName"); name && entry.has("existingInterface")) {
    name->error(bad_config,
                "'interfaceName' is for a tunnel that plumbline makes, not an existing one");
  }
  if (const auto table = entry.integer<std::uint32_t>("routeTable", 1, UINT32_MAX)) {
    tunnel.route_table = TableId{*table};
    if (tunnel.route_table == main_table || tunnel.route_table == local_table) {
      entry.find("routeTable")
          ->error(bad_config, "the table " + format(tunnel.route_table) +
                                  " is the host's own: all its traffic would go into the tunnel");
    }
  }
  read_bool(entry, "routeAllVmTraffic", tunnel.route_all_vm_traffic);
  read_bool(entry, "failClosed", tunnel.fail_closed);
  if (!says_which(entry)) return std::nullopt;
  tunnel.config = config_of(entry, reading);
  if (tunnel.config) {
    const auto place = entry.find(entry.has("config") ? "config" : "configFile");
    tunnel.settings = read_wg_quick(*tunnel.config, place->pointer(), reading.diagnostics);
  }
  if (!named || (!tunnel.settings && !entry.has("existingInterface"))) return std::nullopt;
  return tunnel;
}

}  // namespace plumbline::spec
