// What the terminal, or a program reading us, gets to see.
//
// Results go to standard output; warnings, questions and text errors to standard error. With JSON
// exactly one document goes to standard output, errors and refusals included.

#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "options.hpp"
#include "plumbline/engine/pass.hpp"
#include "plumbline/plan/expressible.hpp"
#include "usage.hpp"

namespace plumbline::cli {

/// Whether standard output takes colour: `--color`, NO_COLOR, and whether it is a terminal.
[[nodiscard]] bool with_colour(const Options& options);

void print_json(const boost::json::value& value);
/// Indented by two spaces, for people.
[[nodiscard]] std::string pretty(const boost::json::value& value);

void print_warnings(const Options& options, const std::vector<Diagnostic>& warnings);
/// What `show` has not in its document: objects, and places of it that a spec refuses.
void print_left_out(const Options& options, const std::vector<LeftOut>& objects,
                    const std::vector<Diagnostic>& places);
/// Errors of the spec or of the host.
void print_errors(const Options& options, const std::vector<Diagnostic>& errors);
/// One that is of no input.
void print_error(const Options& options, std::string_view code, const std::string& message);
/// The document of JSON alone: the text on standard error is the caller's.
void print_usage_document(const WrongUsage& wrong);
/// A refusal: nothing was changed.
void print_refusal(const Options& options, const std::vector<Diagnostic>& refusals);
/// `done`: the sentence that a text outcome ends with when all went well.
void print_outcome(const Options& options, const engine::Prepared& prepared,
                   const engine::Outcome& outcome, const char* done);

[[nodiscard]] boost::json::array to_json(const std::vector<Diagnostic>& diagnostics);

}  // namespace plumbline::cli
