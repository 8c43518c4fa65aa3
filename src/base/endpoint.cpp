#include "plumbline/base/endpoint.hpp"

#include "plumbline/base/number.hpp"

namespace plumbline {

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const auto port = parse_number<std::uint16_t>(digits);
  if (!port || *port == 0 || digits.starts_with("0")) return std::nullopt;
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  if (!address || (address->family() == Family::inet6) != bracketed) return std::nullopt;
  return Endpoint{*address, *port};
}

std::string format(const Endpoint& endpoint) {
  const std::string port = ":" + std::to_string(endpoint.port);
  if (endpoint.address.family() == Family::inet) return format(endpoint.address) + port;
  const std::string scope = endpoint.scope == 0 ? "" : "%" + std::to_string(endpoint.scope);
  return "[" + format(endpoint.address) + scope + "]" + port;
}

}  // namespace plumbline
