#include "plumbline/spec/compose.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "plumbline/firewall/bytes/iptables_tables.hpp"

namespace plumbline::spec {

namespace json = boost::json;

namespace {

json::object& child(json::object& parent, std::string_view key) {
  json::value& value = parent[key];
  if (!value.is_object()) value.emplace_object();
  return value.as_object();
}

void compose_links(const State& state, json::object& document) {
  for (const Link& link : state.of<Link>()) {
    child(document, "links")[link.name.view()] = to_spec(link);
  }
  for (const WireGuard& device : state.of<WireGuard>()) {
    child(child(document, "links"), device.name.view())["wireguard"] = to_spec(device);
  }
  for (const Address& address : state.of<Address>()) {
    json::object& link = child(child(document, "links"), address.link.view());
    if (link.empty()) link["kind"] = "physical";
    json::value& addresses = link["addresses"];
    if (!addresses.is_array()) addresses.emplace_array();
    addresses.as_array().push_back(to_spec(address));
  }
}

template <class K>
void compose_section(const State& state, json::object& document) {
  json::array values;
  for (const K& value : state.of<K>()) {
    if constexpr (requires { value.has_more; }) {
      if (value.has_more) continue;
    }
    values.push_back(to_spec(value));
  }
  if (!values.empty()) document[K::section] = std::move(values);
}

template <class K>
void compose_chains(const State& state, std::string_view part, json::object& document) {
  for (const K& chain : state.of<K>()) {
    json::object& family = child(document, firewall::program_word(chain.family));
    child(child(family, chain.table), part)[chain.name] = to_spec(chain);
  }
}

}  // namespace

json::object compose(const State& state) {
  json::object document{{"version", 1}};
  compose_links(state, document);
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (requires { K::section; }) compose_section<K>(state, document);
  });
  for (const Sysctl& sysctl : state.of<Sysctl>()) {
    child(document, "sysctls")[sysctl.path] = to_spec(sysctl);
  }
  compose_chains<Chain>(state, "chains", document);
  compose_chains<SharedChain>(state, "shared", document);
  return document;
}

}  // namespace plumbline::spec
