#include "tests/sim/specs.hpp"

#include <algorithm>
#include <stdexcept>

namespace plumbline::sim {

namespace {

std::string with(const std::string& members) { return R"({ "version": 1, )" + members + " }"; }

}  // namespace

const std::vector<NamedSpec>& specs() {
  static const std::vector<NamedSpec> all{
      {"Bridge", with(R"("links": {
          "br0": { "kind": "bridge", "mac": "02:00:00:00:01:00", "mtu": 1400, "alias": "of mine",
                   "txQueueLength": 500, "addresses": ["10.1.0.1/24"],
                   "bridge": { "forwardDelay": 4, "ageingTime": 100, "multicastSnooping": false } }
        })")},
      {"Taps", with(R"("links": {
          "br0": { "kind": "bridge" },
          "tap0": { "kind": "tap", "master": "br0", "mac": "02:00:00:00:01:01",
                    "tap": { "owner": 1000, "group": 1000 },
                    "port": { "isolated": true, "learning": false, "cost": 7 } },
          "tap1": { "kind": "tap", "master": "br0", "mac": "02:00:00:00:01:02",
                    "port": { "hairpin": true, "priority": 9 } }
        })")},
      {"Veth", with(R"("links": {
          "va": { "kind": "veth", "veth": { "peer": "vb" }, "mac": "02:00:00:00:01:04",
                  "addresses": ["10.3.0.1/24"] },
          "vb": { "kind": "veth", "veth": { "peer": "va" }, "mtu": 1400, "mac": "02:00:00:00:01:05" }
        })")},
      {"Vxlan", with(R"("links": {
          "vx0": { "kind": "vxlan", "mac": "02:00:00:00:01:03", "vxlan": { "id": 5, "local": "10.0.0.1", "remote": "10.0.0.2",
                   "port": 4789, "device": "eth0", "learning": false } }
        })")},
      {"Ifb", with(R"("links": { "ifb9": { "kind": "ifb", "mtu": 1400 } })")},
      {"Card", with(R"("links": {
          "br0": { "kind": "bridge" },
          "eth0": { "kind": "physical", "mtu": 1400, "addresses": ["192.0.2.2/30"] },
          "eth1": { "kind": "physical", "master": "br0" }
        })")},
      {"Addresses", with(R"("links": {
          "eth0": { "kind": "physical", "addresses": ["10.5.0.1/24", "10.5.0.2/24", "10.6.0.1/24",
                    "fd05::1/64", "fd05::2/64"] }
        })")},
      {"Routes", with(R"("links": {
          "eth0": { "kind": "physical", "addresses": ["10.5.0.1/24", "fd05::1/64"] },
          "eth1": { "kind": "physical", "addresses": ["10.6.0.1/24", "fd06::1/64"] }
        }, "routes": [
          { "to": "default", "via": "10.5.0.254" },
          { "to": "default", "family": "inet6", "via": "fd05::fe" },
          { "to": "10.9.0.0/16", "via": "10.6.0.254", "metric": 50, "mtu": 1400 },
          { "to": "10.10.0.0/16", "nexthops": [ { "via": "10.5.0.253" },
                                                { "via": "10.6.0.253", "weight": 2 } ] },
          { "to": "fd0a::/48", "nexthops": [ { "via": "fd05::fd" }, { "via": "fd06::fd" } ] },
          { "to": "192.0.2.0/24", "type": "blackhole", "table": 100 },
          { "to": "2001:db8::/32", "type": "unreachable" },
          { "to": "203.0.113.0/24", "via": "198.51.100.1", "dev": "eth1", "onlink": true }
        ])")},
      {"Rules", with(R"("rules": [
          { "priority": 1000, "from": "10.1.0.0/16", "table": 100 },
          { "priority": 1001, "fwmark": 7, "action": "prohibit" },
          { "priority": 1002, "family": "inet6", "iif": "eth0", "table": 101 }
        ])")},
      {"Settings", with(R"("sysctls": {
          "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1,
          "net.ipv4.conf.eth0.rp_filter": 2, "net.ipv6.conf.eth1.accept_ra": 0,
          "net.ipv4.tcp_syncookies": 2
        })")},
      {"Chains", with(R"("iptables": { "filter": {
          "chains": { "APP": { "rules": ["-s 10.0.0.1/32 -j DROP", "-p tcp -m tcp --dport 22 -j ACCEPT",
                                         "-j APP-END"] },
                      "APP-END": { "rules": ["-j RETURN"] } },
          "shared": { "FORWARD": { "policy": "DROP", "insert": ["-i eth0 -j APP"],
                                   "append": ["-o eth0 -j ACCEPT"] } } },
        "nat": { "shared": { "POSTROUTING": { "append": ["-s 10.1.0.0/24 -o eth0 -j MASQUERADE"] } } } },
        "ip6tables": { "filter": { "chains": { "APP6": { "rules": ["-j DROP"] } } } })")},
      {"Everything", with(R"("links": {
          "br0": { "kind": "bridge", "addresses": ["10.1.0.1/24", "fd01::1/64"] },
          "tap0": { "kind": "tap", "master": "br0", "port": { "isolated": true } },
          "eth0": { "kind": "physical", "addresses": ["10.5.0.1/24"] }
        },
        "routes": [ { "to": "default", "via": "10.5.0.254" },
                    { "to": "10.8.0.0/16", "via": "10.1.0.8", "table": 100 } ],
        "rules": [ { "priority": 1000, "from": "10.1.0.0/24", "table": 100 } ],
        "sysctls": { "net.ipv4.ip_forward": 1, "net.ipv4.conf.br0.proxy_arp": 1 },
        "iptables": { "filter": { "chains": { "APP": { "rules": ["-j RETURN"] } },
                                  "shared": { "FORWARD": { "insert": ["-i br0 -j APP"] } } } })")},
  };
  return all;
}

const std::string& spec(const std::string& name) {
  const auto found = std::ranges::find(specs(), name, &NamedSpec::name);
  if (found == specs().end()) throw std::out_of_range("no spec of the name " + name);
  return found->text;
}

const std::string& empty_spec() {
  static const std::string text = R"({ "version": 1 })";
  return text;
}

}  // namespace plumbline::sim
