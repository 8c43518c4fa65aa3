#include "plumbline/spec/network.hpp"

#include "ipv4.hpp"

namespace plumbline::spec {

std::string_view format(PolicyProtocol protocol) {
  switch (protocol) {
    case PolicyProtocol::all:
      return "all";
    case PolicyProtocol::tcp:
      return "tcp";
    case PolicyProtocol::udp:
      return "udp";
    case PolicyProtocol::icmp:
      return "icmp";
  }
  return {};
}

IpAddress gateway_of(const Prefix& subnet) { return ipv4(number_of(subnet.address()) + 1); }

IpAddress netmask_of(const Prefix& subnet) { return ipv4(~last_offset(subnet)); }

}  // namespace plumbline::spec
