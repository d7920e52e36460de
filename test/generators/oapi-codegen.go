// Uses the client of oapi-codegen as a program of a customer would. Arguments: URL and token.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"example.com/generated/harborlight"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func pointer[T any](value T) *T { return &value }

func main() {
	ctx := context.Background()
	authorize := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+os.Args[2])
		return nil
	}
	api := must(harborlight.NewClientWithResponses(os.Args[1], harborlight.WithRequestEditorFn(authorize)))

	var monitor, listed harborlight.MonitorInput
	if err := monitor.FromHttpsMonitorInput(harborlight.HttpsMonitorInput{
		Name: "Generated", Protocol: "https", Host: "127.0.0.1", Port: pointer(int32(9)),
		Settings: &harborlight.HttpsSettings{Path: pointer("/health"), Tls: &harborlight.TlsSettings{Verify: pointer(false)}},
	}); err != nil {
		panic(err)
	}
	created := must(api.CreateMonitorWithResponse(ctx, nil, monitor)).JSON201
	patch := harborlight.MonitorPatch{}
	if err := json.Unmarshal([]byte(`{"intervalSeconds": 30}`), &patch); err != nil {
		panic(err)
	}
	changed := must(api.UpdateMonitorWithResponse(ctx, created.Id, nil, patch)).JSON200
	if err := listed.FromTcpMonitorInput(harborlight.TcpMonitorInput{
		Key: pointer("applied"), Name: "Applied", Protocol: "tcp", Host: "127.0.0.1", Port: 9,
	}); err != nil {
		panic(err)
	}
	applied := must(api.ApplyMonitorsWithResponse(ctx, nil, harborlight.ApplyInput{Monitors: []harborlight.MonitorInput{listed}})).JSON200
	page := must(api.ListMonitorsWithResponse(ctx, &harborlight.ListMonitorsParams{Limit: pointer(int32(10))})).JSON200
	results := must(api.ListResultsWithResponse(ctx, created.Id, &harborlight.ListResultsParams{Limit: pointer(int32(5))})).JSON200
	stats := must(api.GetStatsWithResponse(ctx, created.Id, &harborlight.GetStatsParams{From: pointer("-2h")})).JSON200
	refused := must(api.GetMonitorWithResponse(ctx, "unknown", nil)).ApplicationproblemJSON404
	must(api.DeleteMonitorWithResponse(ctx, created.Id, nil))

	names := []string{}
	for _, one := range page.Items {
		names = append(names, *one.Name)
	}
	fmt.Println(string(must(json.Marshal(map[string]any{
		"interval": changed.IntervalSeconds,
		"applied":  len(applied.Created) + len(applied.Updated) + len(applied.Unchanged),
		"names":    names,
		"results":  len(results.Items),
		"checks":   stats.Total.Checks,
		"refused":  refused.Code,
	}))))
}
