#include "tests/support/spec_samples.hpp"

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>

#include "tests/support/json_schema.hpp"

namespace plumbline::testing {

namespace {

namespace fs = std::filesystem;

const char* const key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
const char* const tunnel =
    "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n"
    "Address = 10.64.0.2/32\n";

/// Members of a spec, by the name of the sample.
const std::map<std::string, std::string> members{
    {"top",
     R"("$schema": "s", "networks": {}, "links": {}, "routes": [], "rules": [], "sysctls": {},
        "iptables": {}, "ip6tables": {}, "ebtables": {})"},
    {"network", R"("networks": {"svbr0": {
        "subnet": "172.30.0.0/24", "mac": "02:00:00:00:00:01", "uplink": "auto", "nat": true, "localNetworks": "tunnel",
        "rulePriority": 31820, "isolation": false, "antiSpoofing": true, "ipv6": "block",
        "firewall": {}, "vms": {}}})"},
    {"network firewall", R"("networks": {"svbr0": {"firewall": {
        "egress": {"defaultAction": "deny", "allowTarget": "ACCEPT", "rules": [
          {"action": "allow", "to": "10.0.0.0/8", "protocol": "tcp", "ports": [80, "8000-8080"],
           "comment": "web"}]},
        "ingress": {"defaultAction": "deny", "rules": [
          {"action": "allow", "from": "192.0.2.7", "protocol": "udp", "ports": 53,
           "comment": "dns"}]},
        "host": {"defaultAction": "deny", "rules": [
          {"action": "deny", "to": "10.0.0.1/8", "protocol": "icmp", "comment": ""}]}}}})"},
    {"network tunnel", R"("networks": {"svbr0": {"wireguard": {
        "configFile": "tunnel.conf", "interfaceName": "svwg1", "routeTable": 51820,
        "routeAllVmTraffic": true, "failClosed": true}}})"},
    {"network tunnel in the spec", R"("networks": {"svbr0": {"wireguard": {
        "config": "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\nAddress = 10.64.0.2/32\n"}}})"},
    {"network existing tunnel", R"("networks": {"svbr0": {"wireguard": {
        "existingInterface": "wg0"}}})"},
    {"vms", R"("networks": {"svbr0": {"vms": {"web-1": {"interfaces": {
        "eth0": {"ip": "172.30.0.10", "mac": "02:00:00:00:00:10", "tap": "svweb1", "owner": 1000,
                 "group": 1000, "guestInterface": "net0"}, "eth1": {}}}, "web-2": {}}}})"},
    {"bridge", R"("links": {"br0": {"kind": "bridge", "up": true, "mtu": 1500,
        "mac": "02:00:00:00:00:01", "txQueueLength": 1000, "alias": "lan",
        "addresses": ["10.1.0.1/24", "fd00::1/64"],
        "bridge": {"stp": false, "forwardDelay": 15, "ageingTime": 300, "vlanFiltering": false,
                   "multicastSnooping": true, "noLinklocalLearn": false}}})"},
    {"tap", R"("links": {"br0": {"kind": "bridge"}, "tap7": {"kind": "tap", "master": "br0",
        "tap": {"owner": 1000, "group": 1000, "multiQueue": false, "vnetHeader": false},
        "port": {"isolated": true, "learning": true, "hairpin": false, "cost": 100,
                 "priority": 32, "groupFwdMask": 65533}}})"},
    {"veth", R"("links": {"v0": {"kind": "veth", "veth": {"peer": "v1"}}})"},
    {"veth elsewhere", R"("links": {"v0": {"kind": "veth", "veth": {"peer": "eth0",
        "peerNetns": "guest"}}})"},
    {"vxlan", R"("links": {"vx0": {"kind": "vxlan", "vxlan": {"id": 10, "local": "192.0.2.1",
        "remote": "192.0.2.2", "port": 4789, "device": "eth0", "learning": true}}})"},
    {"ifb", R"("links": {"ifb7": {"kind": "ifb", "mac": "02:00:00:00:00:01", "ifb": {}}})"},
    {"dummy", R"("links": {"sink": {"kind": "dummy", "dummy": {}}})"},
    {"vlan", R"("links": {"eth0.40": {"kind": "vlan", "vlan": {"device": "eth0", "id": 40,
        "protocol": "802.1ad", "reorderHdr": true, "gvrp": false, "mvrp": false,
        "looseBinding": false, "bridgeBinding": false}}})"},
    {"physical", R"("links": {"eth0": {"kind": "physical", "port": {"isolated": true}}})"},
    {"wireguard", R"("links": {"wg0": {"kind": "wireguard", "wireguard": {
        "privateKeyFile": "own.key", "listenPort": 51820, "fwmark": "0xca6c", "peers": {
          "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=": {
            "endpoint": "198.51.100.7:51820", "allowedIps": ["10.9.0.2/32", "fd00::/64"],
            "persistentKeepalive": 25, "presharedKeyFile": "own.key"}}}}})"},
    {"wireguard keys", R"("links": {"wg0": {"kind": "wireguard", "wireguard": {
        "privateKey": "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=", "fwmark": 51820, "peers": {
          "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=": {
            "endpoint": "[2001:db8::1]:51820",
            "presharedKey": "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="}}}}})"},
    {"neighbours", R"("neighbours": [
        {"to": "192.0.2.7", "dev": "eth0", "lladdr": "02:00:00:00:00:07", "router": false},
        {"to": "2001:db8::7", "dev": "eth0", "proxy": true}])"},
    {"routes", R"("routes": [
        {"to": "default", "via": "192.0.2.1", "dev": "eth0", "onlink": true, "table": "main",
         "metric": 100, "src": "192.0.2.10", "scope": "global", "mtu": 1400, "advmss": 1360,
         "type": "unicast", "family": "inet"},
        {"to": "10.9.0.0/16", "type": "blackhole", "tos": 16, "table": 100},
        {"to": "10.8.0.0/16", "nexthops": [
          {"via": "192.0.2.2", "dev": "eth0", "onlink": true, "weight": 2},
          {"via": "192.0.2.3", "dev": "eth0"}]},
        {"to": "10.7.0.1", "type": "local", "dev": "lo", "scope": 254},
        {"to": "2001:db8::/32", "via": "fe80::1", "dev": "eth0"}])"},
    {"rules", R"("rules": [
        {"priority": 1000, "from": "172.30.0.0/24", "to": "10.0.0.0/8", "table": 51820,
         "family": "inet", "not": false, "iif": "lo", "oif": "eth0", "tos": "0x10",
         "fwmark": "0xca6c/0xffffffff", "ipProtocol": "tcp", "sourcePorts": 80,
         "destinationPorts": "80-90", "uidRange": "1000-1999", "suppressPrefixLength": 0,
         "action": "table"},
        {"priority": 1001, "goto": 2000},
        {"priority": 1002, "action": "nop", "ipProtocol": 99, "fwmark": 7, "uidRange": 0,
         "sourcePorts": "443"}])"},
    {"sysctls", R"("sysctls": {"net.ipv4.ip_forward": 1, "net/ipv4/conf/eth0.10/rp_filter": 2,
        "net.ipv4.tcp_rmem": "4096 131072 6291456"})"},
    {"filter", R"("iptables": {"filter": {
        "chains": {"APP": {"rules": ["-p tcp -j ACCEPT",
          {"match": "-p tcp --dport 443", "target": "ACCEPT", "comment": "api"}]}},
        "shared": {"FORWARD": {"policy": "DROP", "insert": ["-j APP"], "append": []},
                   "INPUT": {}, "OUTPUT": {},
                   "DOCKER-USER": {"insert": ["-j RETURN"], "append": ["-j APP"]}}}})"},
    {"other tables", R"("ip6tables": {
        "nat": {"shared": {"PREROUTING": {}, "INPUT": {}, "OUTPUT": {}, "OTHER": {},
          "POSTROUTING": {"policy": "ACCEPT", "insert": [], "append": ["-o eth0 -j MASQUERADE"]}},
          "chains": {}},
        "mangle": {"shared": {"PREROUTING": {}, "INPUT": {}, "OUTPUT": {}, "POSTROUTING": {},
          "FORWARD": {}}, "chains": {}},
        "raw": {"shared": {"PREROUTING": {}, "OUTPUT": {}}, "chains": {}},
        "security": {"shared": {"INPUT": {}, "OUTPUT": {}, "FORWARD": {}}, "chains": {}},
        "filter": {}})"},
    {"ebtables", R"("ebtables": {
        "filter": {"chains": {"VM7": {"rules": ["-s ! 52:54:00:00:00:07 -j DROP",
                     {"match": "-p ARP --arp-ip-src ! 10.1.0.7", "target": "DROP"}]}},
                   "shared": {"FORWARD": {"insert": ["-i tap7 -j VM7"], "append": []},
                              "OUTPUT": {"policy": "DROP"}, "INPUT": {},
                              "OTHER": {"insert": [], "append": []}}},
        "nat": {"chains": {}, "shared": {"PREROUTING": {"append": ["-d BGA -j redirect"]},
                              "OUTPUT": {"policy": "DROP"}, "POSTROUTING": {}}}})"}};

boost::json::value document_of(const std::string& name, const std::string& text) {
  Diagnostics diagnostics;
  const auto node =
      wire::read_document(text, std::make_shared<const std::string>(name), diagnostics);
  if (!node) throw std::runtime_error(name + " is no document");
  return plain(*node);
}

std::string text_of(const fs::path& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void add_specs_of_page(const fs::path& page, std::vector<SpecSample>& samples) {
  std::istringstream lines(text_of(page));
  std::string block;
  bool inside = false;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with("```")) {
      // A plan has a version as well.
      const bool whole = block.find("\"version\": 1") != std::string::npos &&
                         block.find("\"summary\"") == std::string::npos;
      const std::string name = page.filename().string() + ":" + std::to_string(number);
      if (inside && whole) samples.push_back({name, document_of(name, block)});
      inside = !inside && line.starts_with("```json");
      block.clear();
    } else if (inside) {
      block += line + '\n';
    }
  }
}

}  // namespace

std::vector<SpecSample> small_specs() {
  std::vector<SpecSample> samples;
  for (const auto& [name, text] : members) {
    samples.push_back({name, document_of(name, "{\"version\": 1, " + text + "}")});
  }
  return samples;
}

std::vector<SpecSample> published_specs() {
  std::vector<SpecSample> samples;
  const fs::path root = PLUMBLINE_SOURCE_DIR;
  for (const auto& entry : fs::recursive_directory_iterator(root / "specs")) {
    if (entry.path().extension() != ".json") continue;
    const std::string name = entry.path().lexically_relative(root).string();
    samples.push_back({name, document_of(name, text_of(entry.path()))});
  }
  add_specs_of_page(root / "README.md", samples);
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs")) {
    // The examples of errors.md are bad on purpose.
    if (entry.path().extension() != ".md" || entry.path().filename() == "errors.md") continue;
    add_specs_of_page(entry.path(), samples);
  }
  return samples;
}

MemoryFiles files_of_samples() {
  return MemoryFiles({{"./own.key", key}, {"./tunnel.conf", tunnel}});
}

}  // namespace plumbline::testing
