package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"

	"google.golang.org/grpc/grpclog"

	"workflow-worker/activities/userlog"
	"workflow-worker/runtime/logkey"
)

// logger writes what is at least of the level.
func (s settings) logger(w io.Writer, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: userlog.Bounded}
	if s.LogFormat == logJSON {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// The values of LOG_FORMAT.
const (
	logText = "text"
	logJSON = "json"
)

// logLevel is a level that can be changed, and who else has to know.
type logLevel struct {
	slog.LevelVar
	mu   sync.Mutex // guards told
	told func(slog.Level)
}

// tell has somebody told of each change, before it is logged.
func (l *logLevel) tell(told func(slog.Level)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = told
}

func (l *logLevel) change(to slog.Level) {
	l.mu.Lock()
	told := l.told
	l.mu.Unlock()
	l.Set(to)
	if told != nil {
		told(to)
	}
}

// followLevel changes between LOG_LEVEL and debug at each levelSignal, until the returned function
// is called.
func (s settings) followLevel(level *logLevel, log *slog.Logger) (end func()) {
	if levelSignal == nil {
		return func() {}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, levelSignal)
	var work sync.WaitGroup
	work.Go(func() {
		for range signals {
			was, is := level.Level(), slog.LevelDebug
			if was == slog.LevelDebug {
				is = s.LogLevel
			}
			level.change(is)
			// Told while more is told, whatever the level.
			level.Set(slog.LevelDebug)
			log.Info("a signal changed the level of the log", slog.String(logkey.Was, was.String()), slog.String(logkey.Is, is.String()))
			level.Set(is)
		}
	})
	return func() {
		signal.Stop(signals)
		close(signals)
		work.Wait()
	}
}

// adopt has what libraries say by themselves in the log, too. It is the process's own affair.
func adopt(log *slog.Logger) { slog.SetDefault(log) }

// adoptGRPC has gRPC's errors in the log that is adopted by then. It has to come before the first
// connection, which a cell's log comes over.
func adoptGRPC() {
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, grpcErrors{}))
}

type grpcErrors struct{}

func (grpcErrors) Write(line []byte) (int, error) {
	slog.Error(strings.TrimSpace(string(line)))
	return len(line), nil
}

// told says an error that ends the service in the log's own format, where the log is for programs.
func (s settings) told(ctx context.Context, log *slog.Logger, err error) error {
	if err == nil || s.LogFormat != logJSON {
		return err
	}
	log.ErrorContext(ctx, "workflow-worker ends", slog.String(logkey.ID, "service.ended"), slog.String(logkey.Error, err.Error()))
	return coded{exitCode(err), quiet{}}
}
