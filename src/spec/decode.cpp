#include "decode.hpp"

#include <map>
#include <utility>

#include "limits.hpp"
#include "network_decode.hpp"
#include "plumbline/firewall/bytes/iptables_tables.hpp"
#include "plumbline/firewall/text/iptables.hpp"
#include "secret_file.hpp"

namespace plumbline::spec {

namespace {

using wire::Entry;

class Decoding {
 public:
  explicit Decoding(const NetworkReading& reading) : reading_(reading) {}
  void document(const Entry& root);
  [[nodiscard]] Spec finish() {
    spec_.state.sort();
    return std::move(spec_);
  }

 private:
  void links(const Entry& section);
  void firewall(const Entry& section, Family family);
  void table(const Entry& entry, Family family);
  /// Whether it was kept: not when another entry is the same object to the kernel.
  template <class K>
  bool keep(K value, const Entry& entry);
  template <class K>
  void elements(const std::optional<Entry>& section);

  void tunnel(const Entry& entry, const Link& link);
  template <class K>
  void count(const K& /*value*/, const Entry& /*entry*/) {}
  void count(const Rule& rule, const Entry& entry);
  void count_rules(const RuleList& rules, const Entry& chain, std::string_view member,
                   std::vector<Origin>& origins);

  NetworkReading reading_;
  Spec spec_;
  std::size_t firewall_rules_ = 0;
  std::map<std::pair<Family, std::uint32_t>, std::size_t> rules_of_priority_;
};

template <class K>
bool Decoding::keep(K value, const Entry& entry) {
  const auto [place, is_new] = spec_.origins.emplace(key(value), entry.origin());
  if (!is_new) {
    entry.error(Code::duplicate_identity,
                "'" + format(key(value)) + "' is already given at " + format(place->second));
    return false;
  }
  spec_.state.of<K>().push_back(std::move(value));
  return true;
}

template <class K>
void Decoding::elements(const std::optional<Entry>& section) {
  if (!section) return;
  section->for_each_element([&](const Entry& entry) {
    auto value = K::from_spec(entry);
    if (!value) return;
    count(*value, entry);
    keep(*std::move(value), entry);
  });
}

void Decoding::count(const Rule& rule, const Entry& entry) {
  if (++rules_of_priority_[{rule.family, rule.priority}] != most_rules_of_a_priority + 1) return;
  entry.error(Code::out_of_range, "more than " + std::to_string(most_rules_of_a_priority) +
                                      " rules of the priority " + std::to_string(rule.priority) +
                                      ": give some of them others");
}

void Decoding::document(const Entry& root) {
  std::vector<std::string_view> members{"$schema", "version",  "networks",  "links",
                                        "sysctls", "iptables", "ip6tables", "ebtables"};
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (requires { K::section; }) members.push_back(K::section);
  });
  root.only(members);
  if (const auto section = root.find("networks")) {
    static_cast<void>(section->has_at_most(most_networks, "networks", "put guests together"));
    section->for_each_member([&](const Entry& entry) {
      if (auto network = decode_network(entry, reading_)) {
        spec_.networks.push_back(*std::move(network));
      }
    });
  }
  if (const auto section = root.find("links")) links(*section);
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (requires { K::section; }) elements<K>(root.find(K::section));
  });
  if (const auto section = root.find("sysctls")) {
    section->for_each_member([&](const Entry& entry) {
      if (auto value = Sysctl::from_spec(entry)) keep(*std::move(value), entry);
    });
  }
  if (const auto section = root.find("iptables")) firewall(*section, Family::inet);
  if (const auto section = root.find("ip6tables")) firewall(*section, Family::inet6);
  if (const auto section = root.find("ebtables")) firewall(*section, Family::bridge);
}

void Decoding::links(const Entry& section) {
  section.for_each_member([&](const Entry& entry) {
    if (auto link = Link::from_spec(entry)) {
      tunnel(entry, *link);
      keep(*std::move(link), entry);
    }
    const auto name = IfName::parse(entry.key());
    const auto addresses = entry.find("addresses");
    if (!name || !addresses) return;
    addresses->for_each_element([&](const Entry& element) {
      if (auto address = Address::from_spec(element, *name)) keep(*address, element);
    });
  });
}

void Decoding::tunnel(const Entry& entry, const Link& link) {
  if (link.kind != LinkKind::wireguard) return;
  const auto member = entry.require("wireguard");
  if (!member) return;
  auto device = WireGuard::from_spec(*member, link.name, [this](const Entry& path) {
    return read_secret_file(path, reading_.files, Code::invalid_wireguard_config);
  });
  if (device) keep(*std::move(device), *member);
}

void Decoding::firewall(const Entry& section, Family family) {
  section.only(firewall::tables_of(family));
  section.for_each_member([&](const Entry& entry) { table(entry, family); });
}

/// The place of each rule. Where one is refused there are more places than rules, and an error.
void Decoding::count_rules(const RuleList& rules, const Entry& chain, std::string_view member,
                           std::vector<Origin>& origins) {
  const auto entry = chain.find(member);
  if (!entry) return;
  std::size_t at = 0;
  entry->for_each_element([&](const Entry& element) {
    origins.push_back(element.origin());
    const bool was_full = firewall_rules_ > most_firewall_rules;
    firewall_rules_ += at < rules.size() ? rules[at].rules_made() : 1;
    ++at;
    if (was_full || firewall_rules_ <= most_firewall_rules) return;
    element.error(
        Code::out_of_range,
        "with this one there are more than " + std::to_string(most_firewall_rules) +
            " rules of iptables, as many as it makes of lists: ipsets hold more addresses");
  });
}

void Decoding::table(const Entry& entry, Family family) {
  entry.only({"chains", "shared"});
  if (const auto chains = entry.find("chains")) {
    chains->for_each_member([&](const Entry& member) {
      auto chain = Chain::from_spec(member, family, entry.key());
      if (!chain) return;
      const Key key = plumbline::key(*chain);
      const RuleList rules = chain->rules;
      if (keep(*std::move(chain), member)) {
        count_rules(rules, member, "rules", spec_.rule_origins[key]);
      }
    });
  }
  if (const auto shared = entry.find("shared")) {
    shared->for_each_member([&](const Entry& member) {
      auto chain = SharedChain::from_spec(member, family, entry.key());
      if (!chain) return;
      const Key key = plumbline::key(*chain);
      const RuleList insert = chain->insert;
      const RuleList append = chain->append;
      if (keep(*std::move(chain), member)) {
        count_rules(insert, member, "insert", spec_.rule_origins[key]);
        count_rules(append, member, "append", spec_.rule_origins[key]);
      }
    });
  }
}

}  // namespace

Spec decode(const Entry& root, FileReader& files, Diagnostics& diagnostics) {
  Decoding decoding({files, diagnostics});
  decoding.document(root);
  return decoding.finish();
}

}  // namespace plumbline::spec
